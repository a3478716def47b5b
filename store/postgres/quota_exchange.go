package postgres

import (
	"context"
	"errors"
	"fmt"
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

// conflictDelay is the longest wait before the row is read again after another
// process was faster to write it.
const conflictDelay = 4 * time.Millisecond

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
	report    window.Report
	answered  []answered
	throttles []*throttle
}

func (q *Quota) snapshot(leaving bool) snapshot {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.due = time.Now().Add(q.rules.Beat.Duration()) // until the exchange says better
	s := snapshot{
		report:    window.Report{ID: q.id, Limits: q.limits, Leaving: leaving},
		answered:  slices.Clone(q.answered),
		throttles: slices.Clone(q.throttles),
	}
	for _, ask := range q.waiting {
		s.report.Waiting = append(s.report.Waiting, ask.ticket)
	}
	for ticket := range q.flying {
		s.report.Flying = append(s.report.Flying, ticket)
	}
	slices.Sort(s.report.Flying)
	for _, t := range s.throttles {
		s.report.Throttled = true
		s.report.RetryAfter = max(s.report.RetryAfter, window.Millis(t.retryAfter))
	}
	return s
}

// exchange writes to the row what happened here, takes the slots whose turn it is,
// and returns when to come back without news.
func (q *Quota) exchange(ctx context.Context, leaving bool) (time.Time, error) {
	sent := q.snapshot(leaving)
	for {
		tryCtx, cancel := context.WithTimeout(ctx, exchangeTimeout)
		decision, read, kept, err := q.try(tryCtx, sent)
		cancel()
		switch {
		case err != nil:
			return time.Time{}, quotaFailure(err)
		case kept:
			return q.settle(sent, decision, read), nil
		}
		if err := pause(ctx, rand.N(conflictDelay)); err != nil {
			return time.Time{}, err
		}
	}
}

// clockReading is the database's clock at some moment here.
type clockReading struct {
	asked, answered time.Time // here: before and after
	at              window.Instant
}

// here is the moment at which the database's clock has surely come to the instant.
func (c clockReading) here(at window.Instant) time.Time {
	return c.answered.Add((at - c.at).Duration())
}

// try is one attempt: kept is false when another process wrote the row first.
func (q *Quota) try(ctx context.Context, sent snapshot) (window.Decision, clockReading, bool, error) {
	clock := clockReading{asked: time.Now()}
	state, version, now, err := q.row.readOrCreate(ctx)
	if err != nil {
		return window.Decision{}, clock, false, err
	}
	clock.answered, clock.at = time.Now(), window.At(now)

	report := sent.report
	report.Done = make([]window.Done, 0, len(sent.answered))
	for _, a := range sent.answered {
		report.Done = append(report.Done, window.Done{Ticket: a.ticket, Ago: window.Millis(clock.asked.Sub(a.at))})
	}
	decision := state.Step(clock.at, q.rules, report)
	if !decision.Changed {
		return decision, clock, true, nil
	}
	kept, err := q.row.write(ctx, version, state)
	return decision, clock, kept, err
}

// settle hands out what was granted. A slot for an ask that was withdrawn
// meanwhile goes back with the next exchange, and so does every slot after a
// freeze so long that the others may take this process for dead.
func (q *Quota) settle(sent snapshot, decision window.Decision, clock clockReading) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.answered = slices.Clone(q.answered[len(sent.answered):])
	q.throttles = slices.DeleteFunc(q.throttles, func(t *throttle) bool {
		settled := slices.Contains(sent.throttles, t)
		if settled {
			t.settled <- nil
		}
		return settled
	})

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

// quotaFailure takes a ledger that is too slow for one that does not answer.
func quotaFailure(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("ledger database: use quota: %w: no answer within %s", store.ErrUnavailable, exchangeTimeout)
	}
	return failure(ledgerName, "use quota", err)
}

// jittered is between half of the delay and all of it.
func jittered(delay time.Duration) time.Duration {
	return delay - rand.N(delay/2+1)
}
