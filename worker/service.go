package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
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
	// triesInDoubt is the same for one whose request broke off while nobody was
	// answered, and the requests of few others broke off.
	triesInDoubt = 2
	// triesInVain is after how many tries a question counts as unanswered.
	triesInVain = 2
	// manyInDoubt is how many users with broken requests, and nobody answered, make
	// an absence of the service.
	manyInDoubt = 3
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

// standing is what an error says of the service behind it.
type standing int

const (
	// present: it answered, if only with an error.
	present standing = iota
	// doubtful: the request broke off, which may be the item's own trouble or
	// everybody's.
	doubtful
	// absent: it cannot be asked by anybody.
	absent
)

// service knows when an outside service last answered, so that the failure of
// one item can be told from the absence of the whole service.
type service struct {
	name     string
	bound    time.Duration
	log      *slog.Logger
	answered atomic.Int64 // Unix nanoseconds of the last answer to anybody
	warned   atomic.Int64 // Unix nanoseconds of the last warning

	asked      atomic.Int64 // questions that are under way
	unanswered atomic.Int64 // those of them that were put several times, in vain

	mu     sync.Mutex
	broken map[string]int // requests in doubt now, by who asked
}

func newService(name string, bound time.Duration, log *slog.Logger) *service {
	return &service{name: name, bound: bound, log: log, broken: make(map[string]int)}
}

// try calls op until the service answers, with growing waits; away says of an
// error that it did not. When it keeps answering others meanwhile, the error is
// this item's own and is returned. When it answers nobody for the bound, an
// *OutageError is.
func (s *service) try(ctx context.Context, away func(error) bool, op func(context.Context) error) error {
	return s.tryFor(ctx, "", func(err error) standing {
		if away(err) {
			return absent
		}
		return present
	}, op)
}

// tryFor is try for a service whose errors may leave its standing in doubt.
// Requests that break off are everybody's trouble once those of several who ask
// do so at once: then they are tried until the service is back. Otherwise they
// are the failure of what was asked for.
func (s *service) tryFor(ctx context.Context, who string, judge func(error) standing, op func(context.Context) error) error {
	s.asked.Add(1)
	defer s.asked.Add(-1)
	var firstFailure, lastFailure time.Time
	var inDoubt, everybody bool
	inVain := s.countInVain()
	defer func() { inVain(false) }()
	wait := firstWait
	for tries := 1; ; tries++ {
		began := time.Now()
		err := op(ctx)
		stands := judge(err)
		if stands == present {
			if ctx.Err() == nil { // one that was cancelled says nothing of the service
				s.answered.Store(time.Now().UnixNano())
			}
			return err
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), context.Cause(ctx))
		}
		failed := time.Now()
		if stands == absent && tries >= triesOfItem && s.answeredSince(began) {
			return err
		}
		if firstFailure.IsZero() {
			firstFailure, lastFailure = began, began
		}
		if waited := failed.Sub(firstFailure); waited > s.bound {
			if s.answeredSince(lastFailure) {
				return err
			}
			return &OutageError{Service: s.name, For: waited, err: err}
		}
		lastFailure = failed
		if stands == doubtful && !inDoubt {
			inDoubt = true
			defer s.doubt(who)()
		}
		inVain(tries >= triesInVain)
		s.warn(tries, err)
		if pause(ctx, jitter(wait)) != nil {
			return errors.Join(ctx.Err(), context.Cause(ctx))
		}
		wait = min(2*wait, longWait)
		if stands != doubtful {
			continue
		}
		everybody = everybody || s.manyInDoubt()
		switch back := s.answeredSince(failed); {
		case back && everybody: // it was away, and is not any more
			firstFailure, everybody, wait, tries = time.Time{}, false, firstWait, 0
		case back, !everybody && tries >= triesInDoubt:
			return err
		}
	}
}

func (s *service) answeredSince(t time.Time) bool { return s.answered.Load() > t.UnixNano() }

// countInVain gives a function that counts a question among the unanswered ones,
// or not any more.
func (s *service) countInVain() func(now bool) {
	counted := false
	return func(now bool) {
		switch {
		case now && !counted:
			s.unanswered.Add(1)
		case !now && counted:
			s.unanswered.Add(-1)
		}
		counted = now
	}
}

// doubt notes a request that broke off, until the returned function is called.
func (s *service) doubt(who string) (end func()) {
	add := func(n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.broken[who] += n; s.broken[who] == 0 {
			delete(s.broken, who)
		}
	}
	add(1)
	return func() { add(-1) }
}

func (s *service) manyInDoubt() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.broken) >= manyInDoubt
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
