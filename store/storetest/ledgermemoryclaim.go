package storetest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"vlens-archiver/store"
)

// Claim leases users of the run.
func (l *MemoryLedger) Claim(_ context.Context, run store.Run, process string, order store.ClaimOrder, n int) ([]store.Task, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.live(process) {
		return nil, store.ErrProcessLost
	}
	users := l.claimable(l.runs[run.ID])
	slices.SortFunc(users, newestFirst)
	if order == store.LongestDue && !run.Selection.Chosen() {
		slices.SortStableFunc(users, triedFirst)
	}
	var tasks []store.Task
	for _, s := range users[:min(n, len(users))] {
		l.tokens += 2 // so that a token plus one is never valid
		s.leasedBy, s.leaseRun, s.token, s.leased = process, run.ID, l.tokens, s.version
		tasks = append(tasks, store.Task{
			UserID: s.user.ID, Subject: s.subject, State: s.state, LastClass: s.class, Settled: s.settled, Attempts: s.attempts, DueReason: s.reason,
			TransactionID: s.user.TransactionID, VerifiedAt: s.user.VerifiedAt,
			NewestTransaction: s.newest, Unlisted: s.unlisted, HasImages: l.hasImages(s.subject), LeaseToken: s.token,
		})
	}
	return tasks, nil
}

func (l *MemoryLedger) hasImages(subject store.Subject) bool {
	return slices.ContainsFunc(l.images, func(i memoryImage) bool { return i.subject == subject && i.State == store.ImageStored })
}

func newestFirst(a, b *memorySubject) int {
	return cmp.Or(b.newness().Compare(a.newness()), strings.Compare(string(a.subject), string(b.subject)))
}

// triedFirst puts retries and rechecks before the others, those that have waited
// longest first.
func triedFirst(a, b *memorySubject) int {
	switch {
	case a.tried() && b.tried():
		return a.due.Compare(*b.due)
	case a.tried():
		return -1
	case b.tried():
		return 1
	}
	return 0
}

func (s *memorySubject) tried() bool {
	return s.reason == store.DueRetry || s.reason == store.DueRecheck
}

func (s *memorySubject) newness() time.Time {
	if s.user.VerifiedAt.IsZero() {
		return s.firstSeen
	}
	return s.user.VerifiedAt
}

// claimable are the users whom the run may claim now.
func (l *MemoryLedger) claimable(run *memoryRun) []*memorySubject {
	if run == nil || run.closingBegun() {
		return nil
	}
	var list []*memorySubject
	for _, s := range l.subjects {
		if l.wanted(run, s) && !l.live(s.leasedBy) {
			list = append(list, s)
		}
	}
	return list
}

// wanted reports whether the run wants the user, whoever works on the user now.
func (l *MemoryLedger) wanted(run *memoryRun, s *memorySubject) bool {
	if _, done := run.outcomes[s.subject]; done {
		return false
	}
	if run.Selection.Chosen() {
		return run.chosenUsers[s.subject] && (!s.left || !run.Selection.Filtered())
	}
	return !s.left && s.due != nil && !s.due.After(l.now())
}

// Remaining says what is left of the run.
func (l *MemoryLedger) Remaining(_ context.Context, run store.Run, process string) (store.Remaining, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	there := l.runs[run.ID]
	remaining := store.Remaining{Due: int64(len(l.claimable(there)))}
	remaining.Closing = there.Status == store.RunOpen && there.closer != process && l.live(there.closer)
	for _, s := range l.subjects {
		awaited := !there.closingBegun() && l.wanted(there, s)
		if l.live(s.leasedBy) && (s.leaseRun == run.ID || awaited) {
			remaining.Leased++
		}
	}
	for name, p := range l.processes {
		if name != process && p.run == run.ID && l.live(name) {
			remaining.Others++
		}
	}
	return remaining, nil
}
