package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"vlens-archiver/store"
)

// MemoryLedger is a ledger in memory, with the user query beside it. It
// accuses: the test fails when a commit shows no token, when history would
// change, and when images would be filed under a transaction of another subject.
// It is safe for concurrent use.
type MemoryLedger struct {
	t   testing.TB
	now func() time.Time

	mu           sync.Mutex
	source       []store.User
	identity     *store.ArchiveIdentity
	runs         map[string]*memoryRun
	processes    map[string]*memoryProcess
	subjects     map[store.Subject]*memorySubject
	transactions map[string]store.Subject // owner, by id
	images       []memoryImage
	records      []memoryRecord
	log          memoryLog
	tokens       int64
}

type memoryRun struct {
	store.Run
	synced      *store.SyncResult
	closer      string
	outcomes    map[store.Subject]memoryOutcome
	chosenUsers map[store.Subject]bool // nil unless the selection is chosen

	sumsKey      string // of the closed run
	checkpointed bool
}

type memoryProcess struct {
	run    string
	beat   time.Time
	ended  bool
	counts store.RunCounts
}

type memorySubject struct {
	user      store.User
	subject   store.Subject
	state     store.State
	class     store.Class
	settled   bool
	newest    string
	unlisted  bool
	archived  time.Time // when last found complete
	firstSeen time.Time
	left      bool
	attempts  int
	due       *time.Time
	reason    store.DueReason
	version   int
	leasedBy  string
	leaseRun  string
	token     int64
	leased    int // version at the time of the lease
}

type memoryOutcome struct {
	store.Result
	process string
}

type memoryImage struct {
	store.Image
	subject     store.Subject
	transaction string
	run         string
	found       time.Time
}

type memoryRecord struct {
	store.RecordRef
	subject store.Subject
	run     string
}

// NewMemoryLedger returns an empty ledger. Now is its clock, time.Now when nil.
func NewMemoryLedger(t testing.TB, now func() time.Time) *MemoryLedger {
	if now == nil {
		now = time.Now
	}
	return &MemoryLedger{
		t: t, now: now,
		runs: map[string]*memoryRun{}, processes: map[string]*memoryProcess{},
		subjects: map[store.Subject]*memorySubject{}, transactions: map[string]store.Subject{},
	}
}

// SetUsers makes these the rows of the user query.
func (l *MemoryLedger) SetUsers(users ...store.User) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.source = slices.Clone(users)
}

// Stands is where a user stands: the state, and the newest verification, "" when none
// is known.
func (l *MemoryLedger) Stands(userID string) (state store.State, newest string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.subjects {
		if s.user.ID == userID {
			return s.state, s.newest
		}
	}
	return "", ""
}

// Silence makes a process look as if it had not beaten for an hour.
func (l *MemoryLedger) Silence(process string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.processes[process]; p != nil {
		p.beat = p.beat.Add(-time.Hour)
	}
}

// Age makes a run look an hour older.
func (l *MemoryLedger) Age(runID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs[runID].StartedAt = l.runs[runID].StartedAt.Add(-time.Hour)
}

// Clock is the time of the ledger.
func (l *MemoryLedger) Clock(context.Context) (time.Time, error) { return l.now(), nil }

// OpenArchive is store.ErrForeignArchive for another identity than the first.
func (l *MemoryLedger) OpenArchive(_ context.Context, identity store.ArchiveIdentity) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.identity == nil {
		l.identity = &identity
	}
	switch there := *l.identity; {
	case there.LayoutVersion != identity.LayoutVersion:
		return fmt.Errorf("%w: another layout", store.ErrForeignArchive)
	case there.KeyCheck != identity.KeyCheck:
		return fmt.Errorf("%w: another subject_key", store.ErrForeignArchive)
	case there.TenancyName != identity.TenancyName:
		return fmt.Errorf("%w: another tenancy_name", store.ErrForeignArchive)
	case there.Origin != identity.Origin:
		return fmt.Errorf("%w: another origin", store.ErrForeignArchive)
	}
	return nil
}

// OpenRun creates or joins the run.
func (l *MemoryLedger) OpenRun(_ context.Context, run store.Run) (store.Run, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	run.Selection.UserIDs = slices.Clone(run.Selection.UserIDs)
	run.Selection.Users = len(slices.Compact(slices.Sorted(slices.Values(run.Selection.UserIDs))))
	there := l.runs[run.ID]
	if there == nil {
		run.Status, run.StartedAt, run.EndedAt = store.RunOpen, l.now(), time.Time{}
		l.runs[run.ID] = &memoryRun{Run: run, outcomes: map[store.Subject]memoryOutcome{}}
		return run, nil
	}
	if there.Kind != run.Kind || !sameSelection(there.Selection, run.Selection) {
		return store.Run{}, fmt.Errorf("%w: %q", store.ErrRunMismatch, run.ID)
	}
	return there.Run, nil
}

func sameSelection(a, b store.Selection) bool {
	set := func(s store.Selection) []string { return slices.Compact(slices.Sorted(slices.Values(s.UserIDs))) }
	return slices.Equal(set(a), set(b)) && a.Failed == b.Failed && a.FailedClass == b.FailedClass &&
		a.Since.Equal(b.Since) && a.Until.Equal(b.Until) && a.Force == b.Force && a.PerMinute == b.PerMinute
}

// Interrupted lists the open runs nobody beats for.
func (l *MemoryLedger) Interrupted(_ context.Context, exceptRunID string) ([]store.Run, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	long := l.now().Add(-store.TakeoverAfter)
	var runs []store.Run
	for id, run := range l.runs {
		beats := false
		for _, p := range l.processes {
			beats = beats || p.run == id && p.beat.After(long)
		}
		if id != exceptRunID && run.Status == store.RunOpen && run.StartedAt.Before(long) && !beats && !l.live(run.closer) {
			runs = append(runs, run.Run)
		}
	}
	slices.SortFunc(runs, func(a, b store.Run) int { return a.StartedAt.Compare(b.StartedAt) })
	return runs, nil
}

// Enter makes the process known.
func (l *MemoryLedger) Enter(_ context.Context, process, _, runID string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.processes[process] == nil {
		l.processes[process] = &memoryProcess{run: runID, beat: l.now()}
	}
	return nil
}

// Beat is store.ErrProcessLost for a process that is dead or has left.
func (l *MemoryLedger) Beat(_ context.Context, process string, counts store.RunCounts) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.live(process) {
		return store.ErrProcessLost
	}
	p := l.processes[process]
	p.beat, p.counts.Requests = l.now(), maps.Clone(counts.Requests)
	return nil
}

// Leave ends the process.
func (l *MemoryLedger) Leave(_ context.Context, process string, counts store.RunCounts) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.processes[process]; p != nil && !p.ended {
		p.ended, p.counts.Requests = true, maps.Clone(counts.Requests)
	}
	return nil
}

func (l *MemoryLedger) live(process string) bool {
	p := l.processes[process]
	return p != nil && !p.ended && p.beat.After(l.now().Add(-store.TakeoverAfter))
}
