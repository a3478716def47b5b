package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Waits between two tries of a service that is away.
const (
	firstWait = 500 * time.Millisecond
	longWait  = 15 * time.Second
	// warnEvery is the least time between two warnings about a service.
	warnEvery = 10 * time.Second
	// triesOfItem is how often an item is tried while the service answers others.
	triesOfItem = 3
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

// service knows when an outside service last answered, so that the failure of
// one item can be told from the absence of the whole service.
type service struct {
	name     string
	bound    time.Duration
	log      *slog.Logger
	answered atomic.Int64 // Unix nanoseconds of the last answer to anybody
	warned   atomic.Int64 // Unix nanoseconds of the last warning
}

func newService(name string, bound time.Duration, log *slog.Logger) *service {
	return &service{name: name, bound: bound, log: log}
}

// try calls op until the service answers, with growing waits; away says of an
// error that it did not. When it keeps answering others meanwhile, the error is
// this item's own and is returned. When it answers nobody for the bound, an
// *OutageError is.
func (s *service) try(ctx context.Context, away func(error) bool, op func(context.Context) error) error {
	var firstFailure time.Time
	wait := firstWait
	for tries := 1; ; tries++ {
		began := time.Now()
		err := op(ctx)
		if !away(err) {
			if ctx.Err() == nil { // one that was cancelled says nothing of the service
				s.answered.Store(time.Now().UnixNano())
			}
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if tries >= triesOfItem && s.answered.Load() > began.UnixNano() {
			return err
		}
		if firstFailure.IsZero() {
			firstFailure = began
		}
		if silent := time.Since(firstFailure); silent > s.bound {
			return &OutageError{Service: s.name, For: silent, err: err}
		}
		s.warn(tries, err)
		if err := pause(ctx, jitter(wait)); err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		wait = min(2*wait, longWait)
	}
}

// warn says that the service is away: once for all who meet the absence at about
// the same time.
func (s *service) warn(tries int, err error) {
	now, last := time.Now().UnixNano(), s.warned.Load()
	if now-last < int64(warnEvery) || !s.warned.CompareAndSwap(last, now) {
		return
	}
	s.log.Warn("a service does not answer; trying again", "event", "service_away",
		"service", s.name, "tries", tries, "error", err.Error())
}

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
