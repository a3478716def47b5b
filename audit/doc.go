// Package audit re-derives the truth about an archive from what is stored, and
// shares no shortcut with package worker, which stored it.
package audit
