package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// When one item gives up on a service that is away, those that are cancelled
// because of it must not pass for answers of the service: others would then take
// the outage for a failure of their own.
func TestCancelledItemIsNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService("the service", time.Minute, slog.New(slog.DiscardHandler))
		away := &vlens.Error{Endpoint: vlens.EndpointImage, Fault: vlens.FaultNetwork, Unreached: true}
		cancelledItem, cancel := context.WithCancel(t.Context())
		go func() {
			_ = s.tryFor(cancelledItem, "other", vendorStanding, func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			})
		}()
		tries := 0
		err := s.tryFor(t.Context(), "one", vendorStanding, func(context.Context) error {
			if tries++; tries == triesOfItem {
				pause := time.NewTimer(time.Millisecond)
				<-pause.C
				cancel()
				synctest.Wait()
			}
			return away
		})
		var outage *OutageError
		if !errors.As(err, &outage) {
			t.Errorf("after %d tries the item failed by itself: %v", tries, err)
		}
	})
}

// The quota is kept in the ledger. A ledger that is away must hold up the users
// who wait for a slot, not fail them.
func TestQuotaOutOfReachIsAnOutage(t *testing.T) {
	t.Parallel()
	away := fmt.Errorf("take a slot of the quota: %w", store.ErrUnavailable)
	s := newService("Vlens", time.Millisecond, slog.New(slog.DiscardHandler))
	err := s.tryFor(t.Context(), "one", vendorStanding, func(context.Context) error { return away })
	var outage *OutageError
	if !errors.As(err, &outage) || !errors.Is(err, store.ErrUnavailable) || !stopsRun(err) {
		t.Errorf("the error is %v", err)
	}
}

// A service that answers others all the time is not away, however long one item
// goes without.
func TestItemThatWaitsLongerThanTheBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService("Vlens", 10*time.Minute, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() {
			for pause(ctx, time.Minute) == nil {
				_ = s.tryFor(ctx, "another", vendorStanding, func(context.Context) error { return nil })
			}
		}()
		throttled := &vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultThrottled}
		err := s.tryFor(ctx, "one", vendorStanding, func(ctx context.Context) error {
			return errors.Join(pause(ctx, 11*time.Minute), throttled)
		})
		if stopsRun(err) || !isFault(err, vlens.FaultThrottled) {
			t.Errorf("the item ended with %v", err)
		}
	})
}

// Everybody in flight meets an absence; the log tells of it now and then while it
// lasts, and not once for each of them.
func TestAbsenceIsToldNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := newService("the service", time.Minute, slog.New(slog.NewTextHandler(&log, nil)))
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_ = s.try(t.Context(), storeAway, func(context.Context) error { return store.ErrUnavailable })
			})
		}
		all.Wait()
		// Each waits up to 15 s and a half between two tries.
		if told := strings.Count(log.String(), "event=service_away"); told < 2 || told > 1+60/10 {
			t.Errorf("an absence of a minute was told %d times", told)
		}
	})
}

// tryAll puts the requests of that many users at once; each breaks off until the
// vendor is back, or for ever with its user's number in broken. It returns the
// errors by user and how often each asked.
func tryAll(t *testing.T, s *service, users int, back time.Duration, broken map[int]bool) (failures map[int]error, tries []int) {
	t.Helper()
	failures, tries = make(map[int]error), make([]int, users)
	began := time.Now()
	var mu sync.Mutex
	var all sync.WaitGroup
	for n := range users {
		all.Go(func() {
			err := s.tryFor(t.Context(), fmt.Sprint(n), vendorStanding, func(ctx context.Context) error {
				tries[n]++
				if err := pause(ctx, 100*time.Millisecond); err != nil {
					return err
				}
				if time.Since(began) < back || broken[n] {
					return &vlens.Error{Endpoint: vlens.EndpointImage, Fault: vlens.FaultNetwork}
				}
				return nil
			})
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				failures[n] = err
			}
		})
	}
	all.Wait()
	return failures, tries
}

// Requests of many users that break off at once are an absence, which is waited
// for; when it ends, only what is really broken fails.
func TestBrokenRequestsOfMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService("Vlens", 10*time.Minute, slog.New(slog.DiscardHandler))
		failures, _ := tryAll(t, s, 8, 2*time.Minute, map[int]bool{3: true})
		if len(failures) != 1 || failures[3] == nil {
			t.Errorf("failed: %v, want user 3 only", failures)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := newService("Vlens", 10*time.Minute, slog.New(slog.DiscardHandler))
		failures, _ := tryAll(t, s, 8, time.Hour, nil)
		for n := range 8 {
			var outage *OutageError
			if !errors.As(failures[n], &outage) {
				t.Errorf("user %d: %v, want an outage", n, failures[n])
			}
		}
	})
}

// Those of few are their own failure, at once when others are answered, and
// after few tries when nobody asks.
func TestBrokenRequestsOfFew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ users, tries int }{"beside others": {8, 1}, "alone": {1, triesInDoubt}} {
		synctest.Test(t, func(t *testing.T) {
			s := newService("Vlens", 10*time.Minute, slog.New(slog.DiscardHandler))
			go func() { // others go on being answered
				for c.users > 1 && pause(t.Context(), 50*time.Millisecond) == nil {
					_ = s.tryFor(t.Context(), "another", vendorStanding, func(context.Context) error { return nil })
				}
			}()
			failures, tries := tryAll(t, s, c.users, 0, map[int]bool{0: true})
			if len(failures) != 1 || failures[0] == nil || tries[0] != c.tries {
				t.Errorf("%s: failed %v after %d tries, want user 0 after %d", name, failures, tries[0], c.tries)
			}
		})
	}
}
