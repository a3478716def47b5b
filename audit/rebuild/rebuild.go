package rebuild

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// Ledger is an empty ledger that is being filled. Nothing of it is there for
// others until all of it is.
type Ledger interface {
	// AddRecords adds records with their images, in the order of their keys.
	AddRecords(ctx context.Context, records []store.RebuiltRecord) error
	// AddRun adds a closed run, and AddOutcomes its users. All records come before.
	AddRun(ctx context.Context, run store.RebuiltRun) error
	AddOutcomes(ctx context.Context, runID string, outcomes []store.RebuiltOutcome) error
	AddAccess(ctx context.Context, access store.Access) error
	AddVerification(ctx context.Context, verification store.Verification) error
	AddExceptions(ctx context.Context, exceptions []store.Exception) error // of one statement
	// AddEntries adds the hashes of entries of the log, from this index on.
	AddEntries(ctx context.Context, from int64, hashes []manifest.Entry) error
	// SetHead keeps the log's last checkpoint.
	SetHead(ctx context.Context, head store.LogHead) error
	// Settle derives the rest from what was added: the state of each subject and
	// when it is due, which entry of the log is which object, and what waits for
	// its place there. It returns what the ledger holds then.
	Settle(ctx context.Context, nextDue func(store.Result) time.Duration) (store.Rebuilt, error)
}

// Bucket is what a rebuild reads of the bucket.
type Bucket interface {
	audit.Getter
	audit.Lister
}

// Rebuilder fills an empty ledger from the bucket.
type Rebuilder struct {
	Ledger Ledger
	Bucket Bucket
	Layout manifest.Layout
	// VerifierKey checks the log's checkpoint. It is needed when there is one.
	VerifierKey string
	// NextDue is the delay until a user whose attempt ended so is due again;
	// negative means never.
	NextDue func(store.Result) time.Duration
	// Warn is called for each object that does not prove itself and is left out.
	Warn func(key string, why error)

	progress progress
}

// Progress is how far a rebuild is.
type Progress struct {
	Phase    string // records, runs, audit, log, settle
	Records  int64
	Outcomes int64
	Entries  int64
}

type progress struct {
	phase                      atomic.Pointer[string]
	records, outcomes, entries atomic.Int64
}

// Progress may be called at any time.
func (r *Rebuilder) Progress() Progress {
	now := Progress{Records: r.progress.records.Load(), Outcomes: r.progress.outcomes.Load(), Entries: r.progress.entries.Load()}
	if phase := r.progress.phase.Load(); phase != nil {
		now.Phase = *phase
	}
	return now
}

// ErrNoVerifierKey says that there is a log whose signature cannot be checked.
var ErrNoVerifierKey = errors.New("the archive has a log, and evidence.signing_key is not set: without it nothing tells the log from a forged one")

// Rebuild reads the whole archive, one part after the other: records first, then
// the runs that cite them, then what was done with the archive, then the log.
//
// An object that is not what its key says is left out, and Warn is called: one bad object must not keep a company from its ledger, and a
// verification names it afterwards. The log is taken whole or, as audit.ErrDamaged,
// not at all: a ledger with another log would publish one.
func (r *Rebuilder) Rebuild(ctx context.Context) (store.Rebuilt, error) {
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"records", r.addRecords},
		{"runs", r.addRuns},
		{"audit", r.addStatements},
		{"log", r.addLog},
	} {
		r.progress.phase.Store(&part.name)
		if err := part.do(ctx); err != nil {
			return store.Rebuilt{}, fmt.Errorf("rebuild %s: %w", part.name, err)
		}
	}
	settle := "settle"
	r.progress.phase.Store(&settle)
	rebuilt, err := r.Ledger.Settle(ctx, r.NextDue)
	if err != nil {
		return store.Rebuilt{}, fmt.Errorf("rebuild subjects: %w", err)
	}
	return rebuilt, nil
}

// leaveOut passes an object that is no good to Warn, and fails when it could not be
// read at all: an outage is no fault of the object.
func (r *Rebuilder) leaveOut(key string, err error) error {
	if errors.Is(err, audit.ErrDamaged) {
		r.Warn(key, err)
		return nil
	}
	return err
}
