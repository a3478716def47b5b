package storetest

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"vlens-archiver/store"
)

// BeginClose gives the sole right to close the run.
func (l *MemoryLedger) BeginClose(_ context.Context, runID, process string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	run := l.runs[runID]
	if run.Status != store.RunOpen || !l.live(process) || run.closer != process && l.live(run.closer) {
		return false, nil
	}
	member := l.processes[process].run == runID
	for name, p := range l.processes {
		if !member && p.run == runID && l.live(name) {
			return false, nil
		}
	}
	for _, s := range l.subjects {
		if s.leaseRun == runID && s.leasedBy != process && l.live(s.leasedBy) {
			return false, nil
		}
	}
	run.closer = process
	return true, nil
}

// closingBegun reports whether nothing may be added to the run any more.
func (r *memoryRun) closingBegun() bool { return r.Status != store.RunOpen || r.closer != "" }

// FinishClose closes the run.
func (l *MemoryLedger) FinishClose(_ context.Context, runID, process string, status store.RunStatus, sums store.RunObject) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	run := l.runs[runID]
	if run.closer != process || run.Status != store.RunOpen && run.Status != status {
		return store.ErrLeaseLost
	}
	if run.Status == store.RunOpen {
		run.Status, run.EndedAt, run.sumsKey = status, l.now(), sums.Key
	}
	l.log.wait(store.EntryRun, sums.Key, sums.SHA256)
	return nil
}

// Totals is the statement of a run.
func (l *MemoryLedger) Totals(_ context.Context, runID string) (store.RunTotals, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	run := l.runs[runID]
	if run == nil {
		return store.RunTotals{}, fmt.Errorf("no run %q", runID)
	}
	totals := store.RunTotals{
		Run: run.Run, Users: map[store.State]int64{}, Outcomes: map[store.Outcome]int64{},
		Failures: map[store.Class]int64{}, Requests: map[string]int64{},
	}
	if run.synced != nil {
		totals.Sync = *run.synced
	}
	for _, s := range l.subjects {
		totals.Users[s.state]++
		totals.UsersTotal++
		if l.wanted(run, s) {
			totals.DueLeft++
		}
		if s.unlisted {
			totals.UsersUnlisted++
		}
		if s.left {
			totals.UsersLeft++
		} else if at := s.newness(); s.state == store.StatePending && (totals.OldestPendingAt.IsZero() || at.Before(totals.OldestPendingAt)) {
			totals.OldestPendingAt = at
		}
	}
	for _, outcome := range run.outcomes {
		totals.Outcomes[outcome.Outcome]++
		if outcome.Outcome.Incomplete() {
			totals.Failures[outcome.Class]++
		}
	}
	for _, image := range l.images {
		if image.run == runID && image.State == store.ImageStored {
			totals.Images++
			totals.Bytes += image.Bytes
		}
	}
	for _, p := range l.processes {
		if p.run == runID {
			for endpoint, n := range p.counts.Requests {
				totals.Requests[endpoint] += n
			}
		}
	}
	return totals, nil
}

// RunEntries yields the users of a run in the order of their subjects.
func (l *MemoryLedger) RunEntries(_ context.Context, runID string) iter.Seq2[store.RunEntry, error] {
	l.mu.Lock()
	defer l.mu.Unlock()
	var entries []store.RunEntry
	run := l.runs[runID]
	for _, subject := range slices.Sorted(maps.Keys(run.outcomes)) {
		outcome := run.outcomes[subject]
		entry := store.RunEntry{
			Subject: subject, Outcome: outcome.Outcome, State: outcome.Standing().State, Class: outcome.Class, Transaction: outcome.Transaction,
			Requests: outcome.Requests, Images: l.currentImages(subject, outcome.Transaction),
		}
		if outcome.Record != nil {
			entry.Record = *outcome.Record
		}
		entries = append(entries, entry)
	}
	return all(entries)
}

// currentImages are the findings that nothing later replaced, in the order of
// the kinds.
func (l *MemoryLedger) currentImages(subject store.Subject, transaction string) []store.Image {
	var images []store.Image
	for _, kind := range store.Kinds {
		var found []store.Image
		for _, image := range l.images {
			if image.subject == subject && image.transaction == transaction && transaction != "" && image.Kind == kind {
				found = append(found, image.Image)
			}
		}
		for n, image := range found {
			if image.State == store.ImageStored || n == len(found)-1 {
				images = append(images, image)
			}
		}
	}
	return images
}

// RunObjects yields the images and records of the run in the order of their
// keys.
func (l *MemoryLedger) RunObjects(_ context.Context, runID string) iter.Seq2[store.RunObject, error] {
	l.mu.Lock()
	defer l.mu.Unlock()
	var objects []store.RunObject
	for _, image := range l.images {
		if image.run == runID && image.State == store.ImageStored {
			objects = append(objects, store.RunObject{Key: image.Key, VersionID: image.VersionID, SHA256: image.SHA256})
		}
	}
	for _, record := range l.records {
		if record.run == runID {
			objects = append(objects, store.RunObject{Key: record.Key, VersionID: record.VersionID, SHA256: record.SHA256})
		}
	}
	slices.SortFunc(objects, func(a, b store.RunObject) int { return strings.Compare(a.Key, b.Key) })
	return all(slices.CompactFunc(objects, func(a, b store.RunObject) bool { return a.Key == b.Key }))
}

func all[V any](list []V) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}
