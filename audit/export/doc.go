// Package export hands out the evidence of one subject as a bag, with the proof of
// each record, and states who took it and why.
package export
