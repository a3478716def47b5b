package store

import (
	"regexp"
	"time"
)

// RunKind says who asked for a run.
type RunKind string

// The kinds of runs.
const (
	RunScheduled RunKind = "scheduled"
	RunManual    RunKind = "manual"
	RunBackfill  RunKind = "backfill"
)

// RunStatus is where a run stands.
type RunStatus string

// The statuses of runs.
const (
	RunOpen        RunStatus = "open"
	RunClosed      RunStatus = "closed"
	RunInterrupted RunStatus = "interrupted"
)

var runID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// ValidRunID reports whether the id may name a run: 1 to 63 lower-case
// letters, digits and hyphens, the first no hyphen.
func ValidRunID(id string) bool { return runID.MatchString(id) }

// Run is one bounded period of work.
type Run struct {
	ID           string
	Kind         RunKind
	Status       RunStatus
	StartedAt    time.Time
	EndedAt      time.Time
	Selection    Selection
	ToolVersion  string
	ConfigSHA256 string
}
