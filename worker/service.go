package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Waits between two tries of a service that is away.
const (
	firstWait = 500 * time.Millisecond
	longWait  = 15 * time.Second
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
	answered atomic.Int64 // Unix nanoseconds of the last answer to anybody
}

func newService(name string, bound time.Duration) *service {
	return &service{name: name, bound: bound}
}

// try calls op until it answers. An error that is away by the given test means
// that the service did not answer: op is tried again, with growing waits. When
// the service meanwhile answers others the error is this item's own and is
// returned; when it answers nobody for the bound, an *OutageError is.
func (s *service) try(ctx context.Context, away func(error) bool, op func(context.Context) error) error {
	began := time.Now()
	for wait := firstWait; ; wait = min(2*wait, longWait) {
		err := op(ctx)
		if err == nil || !away(err) {
			s.answered.Store(time.Now().UnixNano())
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		silent := time.Since(began)
		if s.answeredSince(began) && silent > s.bound/10 {
			return err
		}
		if silent > s.bound {
			return &OutageError{Service: s.name, For: silent, err: err}
		}
		if err := pause(ctx, jitter(wait)); err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

func (s *service) answeredSince(t time.Time) bool { return s.answered.Load() > t.UnixNano() }

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
