package verify

import (
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// Verdict is what a verification comes to.
type Verdict string

// The verdicts.
const (
	Clean    Verdict = "clean"
	Warnings Verdict = "warnings" // and no damage
	Damage   Verdict = "damage"
)

// Report is the outcome of a verification.
type Report struct {
	Verdict   Verdict          `json:"verdict"`
	Mode      store.VerifyMode `json:"mode"`
	Scope     Scope            `json:"scope"`
	StartedAt time.Time        `json:"started_at"`
	EndedAt   time.Time        `json:"ended_at"`
	Counts    Counts           `json:"counts"`
	Log       *LogReport       `json:"log"` // null without a log
	Damaged   int64            `json:"damaged"`
	Warnings  int64            `json:"warnings"`
	Totals    map[Sort]int64   `json:"totals"`
	// Findings are bounded: of each sort the first 1,000. Totals count all.
	Findings []Finding `json:"findings"`
	AuditKey string    `json:"audit_key"` // of the statement in the bucket
}

// Scope is what was looked at; the zero value means everything.
type Scope struct {
	Subject store.Subject `json:"subject,omitempty"`
	RunID   string        `json:"run_id,omitempty"`
	Sample  float64       `json:"sample_percent,omitempty"`
	Decode  float64       `json:"decode_percent,omitempty"` // of a deep check
	Seed    string        `json:"seed,omitempty"`
}

// Counts is how much was checked.
type Counts struct {
	Subjects   int64 `json:"subjects"`
	NotSampled int64 `json:"subjects_not_sampled"` // of these, compared by the listing only
	Objects    int64 `json:"objects"`              // all of the following but entries
	Images     int64 `json:"images"`
	Records    int64 `json:"records"`
	Runs       int64 `json:"runs"`
	LogEntries int64 `json:"log_entries"`
	Decoded    int64 `json:"images_decoded"`
	InProgress int64 `json:"objects_in_progress"` // of attempts and runs at work
	BytesRead  int64 `json:"bytes_read"`
}

// LogReport is the log under the checkpoint that was found.
type LogReport struct {
	Size      int64  `json:"size"`
	Root      string `json:"root"`      // base64
	Signature string `json:"signature"` // valid, invalid or unchecked
}

func (v *Verifier) report(started time.Time) Report {
	p := &v.progress
	r := Report{
		Verdict:   Clean,
		Mode:      v.Mode,
		Scope:     Scope{Subject: v.Subject, RunID: v.RunID},
		StartedAt: manifest.Time(started),
		Counts: Counts{
			Subjects: p.subjects.Load(), NotSampled: p.skipped.Load(), Objects: p.objects.Load(), Images: p.images.Load(),
			Records: p.records.Load(), Runs: p.runs.Load(), LogEntries: p.entries.Load(), Decoded: p.decoded.Load(),
			InProgress: p.underWay.Load(), BytesRead: p.bytes.Load(),
		},
		Log: v.log,
	}
	if v.Sample < 100 {
		r.Scope.Sample, r.Scope.Seed = v.Sample, v.Seed
	}
	if v.Mode == store.VerifyDeep && v.Decode < 100 {
		r.Scope.Decode, r.Scope.Seed = v.Decode, v.Seed
	}
	return r
}

// conclude counts the findings and gives the verdict.
func (v *Verifier) conclude(r *Report) {
	r.EndedAt = manifest.Time(time.Now())
	r.Findings, r.Totals = v.found.sorted()
	r.Damaged, r.Warnings, r.Verdict = 0, 0, Clean
	for sort, n := range r.Totals {
		if sort.Info().Damage {
			r.Damaged += n
		} else {
			r.Warnings += n
		}
	}
	switch {
	case r.Damaged > 0:
		r.Verdict = Damage
	case r.Warnings > 0:
		r.Verdict = Warnings
	}
}
