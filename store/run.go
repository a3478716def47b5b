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

// Selection says which users a run may claim. The zero value is every user who
// is due. A backfill's selection is kept with the run, so that a process that
// joins it later has the same one.
type Selection struct {
	UserIDs     []string  `json:"-"` // kept in a table of its own
	Users       int       `json:"users,omitempty"`
	Failed      bool      `json:"failed,omitempty"`
	FailedClass Class     `json:"failed_class,omitempty"`
	Since       time.Time `json:"since,omitzero"` // verified_at at or after
	Until       time.Time `json:"until,omitzero"` // verified_at before
	Force       bool      `json:"force,omitempty"`
	PerMinute   int       `json:"per_minute,omitempty"` // requests a minute for the whole run; 0 = the quota
	Limit       int       `json:"limit,omitempty"`      // users claimed by the whole run; 0 = all
}

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
