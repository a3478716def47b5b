package figures

import (
	"math"
	"path/filepath"

	"vlens-archiver/bench/site"
)

// GrowthFile is where the measurements of growth are kept in the folder.
func GrowthFile(folder string) string { return filepath.Join(folder, "measurements", "growth.jsonl") }

// The steps of the growth benchmark.
const (
	StepRun      = "run"      // a first run that archives every user
	StepVerify   = "verify"   // of what the last of these runs archived
	StepCopy     = "copy"     // the yardstick: the users by COPY to a file
	StepPlanNew  = "plan-new" // of users who are all new
	StepFirst    = "first"    // a run that learns of all users and archives some
	StepNoop     = "noop"     // a run with nothing to do
	StepPlanNoop = "plan-noop"
	StepChanged  = "changed" // a run after some rows changed
)

// Growth is one step of the growth benchmark.
type Growth struct {
	Step     string `json:"step"`
	Users    int    `json:"users"`    // in the source
	Archived int    `json:"archived"` // users archived by the step
	Requests int    `json:"requests"` // to the tenant
	// SyncSeconds is from the start of the process to the end of the sync.
	SyncSeconds float64       `json:"sync_seconds"`
	Database    site.Database `json:"database"`
	site.Usage
	site.Setting
}

// Order is the power with which a figure grows from one size to another: 1 is
// linear. It is 0 when a figure is not positive.
func Order(fromSize, from, toSize, to float64) float64 {
	if from <= 0 || to <= 0 || fromSize <= 0 || toSize <= fromSize {
		return 0
	}
	return math.Log(to/from) / math.Log(toSize/fromSize)
}

// latest is the last record of each step and number of users.
func latest(of []Growth, step string) []Growth {
	var found []Growth
	for _, g := range of {
		if g.Step != step {
			continue
		}
		n := 0
		for n < len(found) && found[n].Users < g.Users {
			n++
		}
		if n < len(found) && found[n].Users == g.Users {
			found[n] = g
			continue
		}
		found = append(found[:n], append([]Growth{g}, found[n:]...)...)
	}
	return found
}
