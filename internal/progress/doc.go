// Package progress shows how a run goes: a live bar on a terminal, a log line a
// minute elsewhere, both with the same figures.
package progress
