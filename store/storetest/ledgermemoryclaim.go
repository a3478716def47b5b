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
	there := l.runs[run.ID]
	candidates := l.claimable(there)
	slices.SortFunc(candidates, func(a, b *memorySubject) int {
		if order == store.LongestDue && there.chosenUsers == nil {
			if a.state != store.StatePending && b.state != store.StatePending {
				return a.due.Compare(*b.due)
			}
			if byState := cmp.Compare(btoi(a.state == store.StatePending), btoi(b.state == store.StatePending)); byState != 0 {
				return byState
			}
		}
		return cmp.Or(b.newness().Compare(a.newness()), strings.Compare(string(a.subject), string(b.subject)))
	})

	var tasks []store.Task
	for _, s := range candidates {
		again := there.claimed[s.subject]
		if len(tasks) == n {
			break
		}
		if limit := there.Selection.Limit; limit > 0 && !again && len(there.claimed) >= limit {
			continue
		}
		there.claimed[s.subject] = true
		l.tokens += 2 // so that a token plus one is never valid
		s.leasedBy, s.leaseRun, s.token, s.leased = process, run.ID, l.tokens, s.version
		tasks = append(tasks, store.Task{
			UserID: s.user.ID, Subject: s.subject, State: s.state, Attempts: s.attempts,
			TransactionID: s.user.TransactionID, VerifiedAt: s.user.VerifiedAt, LeaseToken: s.token,
		})
	}
	return tasks, nil
}

func (s *memorySubject) newness() time.Time {
	if s.user.VerifiedAt.IsZero() {
		return s.firstSeen
	}
	return s.user.VerifiedAt
}

// claimable are the users whom the run may claim now, its limit aside.
func (l *MemoryLedger) claimable(run *memoryRun) []*memorySubject {
	if run == nil || run.closingBegun() {
		return nil
	}
	var list []*memorySubject
	for _, s := range l.subjects {
		if l.leftFor(run, s) && !l.live(s.leasedBy) {
			list = append(list, s)
		}
	}
	return list
}

// leftFor reports whether the run is for the user, who has no outcome in it yet.
func (l *MemoryLedger) leftFor(run *memoryRun, s *memorySubject) bool {
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
	remaining := store.Remaining{Outcomes: int64(len(there.outcomes)), Due: l.claimableNow(there)}
	remaining.Closing = there.Status == store.RunOpen && there.closer != process && l.live(there.closer)
	remaining.Limited = there.Selection.Limit > 0 && len(there.claimed) >= there.Selection.Limit
	for _, s := range l.subjects {
		awaited := !remaining.Limited && !there.closingBegun() && l.leftFor(there, s)
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

// claimableNow counts the users the run may claim now, within its limit.
func (l *MemoryLedger) claimableNow(run *memoryRun) int64 {
	var again, fresh int64
	for _, s := range l.claimable(run) {
		if run.claimed[s.subject] {
			again++
		} else {
			fresh++
		}
	}
	if limit := int64(run.Selection.Limit); limit > 0 {
		fresh = min(fresh, max(0, limit-int64(len(run.claimed))))
	}
	return again + fresh
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
