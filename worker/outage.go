package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"vlens-archiver/store"
)

// Waits between two tries of a service that is away.
const (
	firstWait = 500 * time.Millisecond
	longWait  = 15 * time.Second
	// warnEvery is the least time between two warnings about a service.
	warnEvery = 10 * time.Second
)

// OutageError says that a service was away for longer than a run waits.
type OutageError struct {
	Service string
	For     time.Duration
	err     error
}

// Error names the service, how long it was away, and what the last try said.
func (e *OutageError) Error() string {
	return fmt.Sprintf("%s has been unavailable for %s: %v (nothing is lost: run again when it is back)",
		e.Service, e.For.Round(time.Second), e.err)
}

// Unwrap is the error of the last try.
func (e *OutageError) Unwrap() error { return e.err }

// absence is what those who wait for one service that is away have in common.
type absence struct {
	service string
	bound   time.Duration // how long it may be away
	log     *slog.Logger
	// stop is closed once the process is told to stop. From then on nobody waits
	// for the service.
	stop <-chan struct{}

	warned atomic.Int64 // Unix nanoseconds of the last warning
	left   atomic.Bool  // it was logged that nobody waits any more
}

// warn says that the service is away: once for all who meet the absence at about
// the same time.
func (a *absence) warn(tries int, err error) {
	now, last := time.Now().UnixNano(), a.warned.Load()
	if now-last < int64(warnEvery) || !a.warned.CompareAndSwap(last, now) {
		return
	}
	if errors.Is(err, store.ErrLocked) {
		a.log.Warn("waiting for a lock that another session holds", "event", "lock_wait",
			"service", a.service, "tries", tries, "error", err.Error())
		return
	}
	a.log.Warn("a service does not answer; trying again", "event", "service_away",
		"service", a.service, "tries", tries, "error", err.Error())
}

// waits are the growing waits between the tries of one thing.
type waits struct {
	*absence
	stop  <-chan struct{} // closed when nobody is to wait any more; may be nil
	since time.Time       // the first try that failed
	tries int             // that failed
	next  time.Duration
}

func (a *absence) waits(stop <-chan struct{}) *waits {
	return &waits{absence: a, stop: stop, next: firstWait}
}

// after waits after a try that failed with err. It is an *OutageError once the
// first failure is longer ago than the bound.
func (w *waits) after(ctx context.Context, err error) error {
	if w.tries++; w.tries == 1 {
		w.since = time.Now()
	}
	if err := w.exceeded(w.since, err); err != nil {
		return err
	}
	w.warn(w.tries, err)
	wait := w.next
	w.next = min(2*w.next, longWait)
	return w.wait(ctx, w.stop, wait)
}

// wait waits between two tries, for about d. It is cut short by the end of ctx
// and by stop, with errStopped.
func (a *absence) wait(ctx context.Context, stop <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(jitter(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return endOf(ctx)
	case <-stop:
		return a.drop()
	}
}

// stopped reports whether nobody is to wait any more.
func (a *absence) stopped() bool {
	select {
	case <-a.stop:
		return true
	default:
		return false
	}
}

// drop says once that nobody waits any more.
func (a *absence) drop() error {
	if !a.left.Swap(true) {
		a.log.Warn("a service is away and the process is to stop; what waits for it is dropped",
			"event", "stop_in_vain", "service", a.service)
	}
	return errStopped
}

// exceeded is the OutageError when the service has been away since then for
// longer than the bound, err being what the last try said.
func (a *absence) exceeded(since time.Time, err error) error {
	if away := time.Since(since); away > a.bound {
		return &OutageError{Service: a.service, For: away, err: err}
	}
	return nil
}

// endOf says that a context has ended, and why.
func endOf(ctx context.Context) error { return errors.Join(ctx.Err(), context.Cause(ctx)) }

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// jitter spreads a wait over half to one and a half of its length.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d)
}
