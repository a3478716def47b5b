package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/window"
)

// Bounds of an exchange with the row, and of trying again when the ledger does
// not answer. Those who wait get the error after quotaPatience.
const (
	exchangeTimeout = 5 * time.Second
	firstQuotaRetry = 100 * time.Millisecond
	lastQuotaRetry  = 2 * time.Second
	quotaPatience   = 10 * time.Second
)

// work exchanges with the row whenever it is due, until ctx ends.
func (q *Quota) work(ctx context.Context) {
	defer close(q.ended)
	retry := firstQuotaRetry
	for q.waitUntilDue(ctx) {
		next, err := q.exchange(ctx, false)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			q.giveUp(err)
			next = time.Now().Add(jittered(retry))
			retry = min(2*retry, lastQuotaRetry)
		} else {
			retry = firstQuotaRetry
		}
		q.mu.Lock()
		if next.Before(q.due) || err != nil {
			q.due = next
		}
		q.mu.Unlock()
	}
}

// giveUp fails those who wait for a ledger that fails: at once when trying again
// cannot help, else those who have been patient.
func (q *Quota) giveUp(err error) {
	patience := quotaPatience
	if !errors.Is(err, store.ErrUnavailable) {
		patience = 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fail(err, patience)
}

// waitUntilDue returns false when ctx has ended.
func (q *Quota) waitUntilDue(ctx context.Context) bool {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		q.mu.Lock()
		wait := time.Until(q.due)
		q.mu.Unlock()
		if wait <= 0 {
			return ctx.Err() == nil
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return false
		case <-q.wake:
		case <-timer.C:
		}
	}
}

// snapshot is what one exchange sends, and so what it settles.
type snapshot struct {
	report   window.Report
	answered []answered
}

func (q *Quota) snapshot(leaving bool) snapshot {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.due = time.Now().Add(q.rules.Beat.Duration()) // until the exchange says better
	s := snapshot{
		report:   window.Report{ID: q.id, Limits: q.limits, Leaving: leaving},
		answered: slices.Clone(q.answered),
	}
	for _, ask := range q.waiting {
		s.report.Waiting = append(s.report.Waiting, ask.ticket)
	}
	for ticket := range q.flying {
		s.report.Flying = append(s.report.Flying, ticket)
	}
	slices.Sort(s.report.Flying)
	return s
}

// exchange writes to the row what happened here, takes the slots whose turn it is,
// and returns when to come back without news.
func (q *Quota) exchange(ctx context.Context, leaving bool) (time.Time, error) {
	sent := q.snapshot(leaving)
	var decision window.Decision
	var read clockReading
	err := q.row.change(ctx, func(state *window.State, clock clockReading) bool {
		report := sent.report
		report.Done = make([]window.Done, 0, len(sent.answered))
		for _, a := range sent.answered {
			report.Done = append(report.Done, window.Done{Ticket: a.ticket, Ago: window.Millis(clock.asked.Sub(a.at))})
		}
		decision, read = state.Step(clock.at, q.rules, report), clock
		return decision.Changed
	})
	if err != nil {
		return time.Time{}, err
	}
	return q.settle(sent, decision, read), nil
}

// settle hands out what was granted. A slot for an ask that was withdrawn
// meanwhile goes back with the next exchange, and so does every slot after a
// freeze so long that the others may take this process for dead.
func (q *Quota) settle(sent snapshot, decision window.Decision, clock clockReading) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.answered = slices.Clone(q.answered[len(sent.answered):])

	if time.Since(clock.asked) > q.rules.Takeover.Duration()/2 {
		return time.Now()
	}
	next := clock.here(decision.Wake)
	if decision.Poll {
		next = clock.answered.Add(jittered(next.Sub(clock.answered)))
	}
	for _, ticket := range decision.Granted {
		i := slices.IndexFunc(q.waiting, func(a *slotAsk) bool { return a.ticket == ticket })
		if i < 0 {
			next = time.Now()
			continue
		}
		ask := q.waiting[i]
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.flying[ticket] = struct{}{}
		close(ask.ready)
	}
	return next
}

// jittered is between half of the delay and all of it.
func jittered(delay time.Duration) time.Duration {
	return delay - rand.N(delay/2+1)
}
