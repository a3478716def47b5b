package storetest

import (
	"context"
	"errors"
	"slices"

	"vlens-archiver/store"
)

// memoryLog is the evidence log as the ledger knows it.
type memoryLog struct {
	lease   store.SealLease
	head    store.LogHead
	entries []store.LogEntry
	waiting []store.LogEntry // their indexes mean nothing
}

// wait lets a record or a run wait for its place.
func (g *memoryLog) wait(kind store.EntryKind, key, sha256 string) {
	there := func(e store.LogEntry) bool { return e.Key == key }
	if !slices.ContainsFunc(g.entries, there) && !slices.ContainsFunc(g.waiting, there) {
		g.waiting = append(g.waiting, store.LogEntry{Kind: kind, Key: key, SHA256: sha256})
	}
}

// LogState says how much stands in the published log.
func (l *MemoryLedger) LogState(context.Context) (store.LogState, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return store.LogState{
		Head: l.log.head, Entries: int64(len(l.log.entries)), Waiting: int64(len(l.log.waiting)), Runs: int64(len(l.sealedRuns())),
	}, nil
}

// BeginSeal gives the sole right to extend the log.
func (l *MemoryLedger) BeginSeal(_ context.Context, process string) (store.SealLease, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if holder := l.log.lease.Process; !l.live(process) || holder != process && l.live(holder) {
		return store.SealLease{}, false, nil
	}
	l.log.lease.Process = process
	l.log.lease.Token++
	lease := l.log.lease
	lease.Head = l.log.head
	return lease, true, nil
}

// AssignEntries gives indexes to what waits.
func (l *MemoryLedger) AssignEntries(_ context.Context, lease store.SealLease, n int) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.holds(lease) {
		return 0, store.ErrLeaseLost
	}
	for _, entry := range l.log.waiting[:min(n, len(l.log.waiting))] {
		entry.Index = int64(len(l.log.entries))
		l.log.entries = append(l.log.entries, entry)
	}
	l.log.waiting = l.log.waiting[min(n, len(l.log.waiting)):]
	return int64(len(l.log.entries)), nil
}

// LogEntries are the entries from one index up to another.
func (l *MemoryLedger) LogEntries(_ context.Context, from, to int64) ([]store.LogEntry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if to > int64(len(l.log.entries)) {
		return nil, errors.New("entries are missing")
	}
	return slices.Clone(l.log.entries[from:to]), nil
}

// NoteCheckpoint keeps what was published. It accuses whoever notes more entries
// than have an index.
func (l *MemoryLedger) NoteCheckpoint(_ context.Context, lease store.SealLease, head store.LogHead) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.holds(lease) || head.Size < l.log.head.Size {
		return store.ErrLeaseLost
	}
	if head.Size > int64(len(l.log.entries)) {
		l.t.Errorf("a checkpoint over %d entries is noted, %d have an index", head.Size, len(l.log.entries))
	}
	l.log.head = head
	return nil
}

// EndSeal gives the lease back.
func (l *MemoryLedger) EndSeal(_ context.Context, lease store.SealLease) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holds(lease) {
		l.log.lease.Process = ""
	}
	return nil
}

// SealedRuns are the runs that have no checkpoint beside their files.
func (l *MemoryLedger) SealedRuns(context.Context) ([]store.SealedRun, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sealedRuns(), nil
}

// NoteRunCheckpoint keeps that the run has one.
func (l *MemoryLedger) NoteRunCheckpoint(_ context.Context, runID string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs[runID].checkpointed = true
	return nil
}

func (l *MemoryLedger) holds(lease store.SealLease) bool {
	return l.log.lease.Process == lease.Process && l.log.lease.Token == lease.Token
}

// sealedRuns is called with mu held.
func (l *MemoryLedger) sealedRuns() []store.SealedRun {
	var runs []store.SealedRun
	for _, entry := range l.log.entries[:l.log.head.Size] {
		for _, run := range l.runs {
			if run.sumsKey == entry.Key && !run.checkpointed {
				runs = append(runs, store.SealedRun{Run: run.Run, Index: entry.Index})
			}
		}
	}
	return runs
}
