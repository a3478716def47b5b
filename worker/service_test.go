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

func away() error { return store.ErrUnavailable }

// What a service does not answer, while it answers what must work, fails by itself,
// and soon.
func TestItemThatAloneGoesUnanswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService("the bucket", 10*time.Minute, slog.New(slog.DiscardHandler))
		s.probe = func(context.Context) error { return store.ErrExists }
		began, tries := time.Now(), 0
		err := s.try(t.Context(), func() error {
			tries++
			return store.ErrUnavailable
		})
		if stopsRun(err) || !errors.Is(err, store.ErrUnavailable) || tries != triesOfItem || time.Since(began) > 3*time.Second {
			t.Errorf("after %d tries and %s the item ended with %v", tries, time.Since(began), err)
		}
	})
}

// A service that comes back just when somebody asks is not taken for one that
// leaves that alone unanswered.
func TestReturnOfAService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService("the bucket", 10*time.Minute, slog.New(slog.DiscardHandler))
		back := time.Now().Add(26 * time.Second) // during the third try, whatever the jitter
		answer := func(ctx context.Context) error {
			if time.Now().After(back) {
				return nil
			}
			return errors.Join(pause(ctx, 10*time.Second), store.ErrUnavailable)
		}
		s.probe = answer
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := s.try(t.Context(), func() error { return answer(t.Context()) }); err != nil {
					t.Errorf("an item ended with %v", err)
				}
			})
		}
		all.Wait()
	})
}

// After an absence an item has as many tries as any other.
func TestTriesAfterAnAbsence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService("the bucket", 10*time.Minute, slog.New(slog.DiscardHandler))
		back := time.Now().Add(time.Minute)
		s.probe = func(context.Context) error {
			if time.Now().After(back) {
				return nil
			}
			return store.ErrUnavailable
		}
		tries := 0 // since it is back
		err := s.try(t.Context(), func() error {
			if time.Now().After(back) {
				if tries++; tries == triesOfItem {
					return nil
				}
			}
			return store.ErrUnavailable
		})
		if err != nil {
			t.Errorf("after %d tries the item ended with %v", tries, err)
		}
	})
}

// A probe that is cut short says nothing of the service.
func TestCancelledProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService("the bucket", 10*time.Minute, slog.New(slog.DiscardHandler))
		s.probe = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.try(ctx, away); !stopsRun(err) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the item ended with %v", err)
		}
	})
}

// What takes longer than the bound, and then fails, is tried again all the same.
func TestAbsenceBeginsWithTheFirstFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService("the database", 10*time.Minute, slog.New(slog.DiscardHandler))
		tries := 0
		err := s.try(t.Context(), func() error {
			if tries++; tries == 2 {
				return nil
			}
			return errors.Join(pause(t.Context(), 11*time.Minute), store.ErrUnavailable)
		})
		if err != nil || tries != 2 {
			t.Errorf("after %d tries: %v", tries, err)
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
			all.Go(func() { _ = s.try(t.Context(), away) })
		}
		all.Wait()
		// Each waits up to 15 s and a half between two tries.
		if told := strings.Count(log.String(), "event=service_away"); told < 2 || told > 1+60/10 {
			t.Errorf("an absence of a minute was told %d times", told)
		}
	})
}

// At a stop nobody waits for a service that is away, except for what is written at
// a stop.
func TestStopEndsTheWaitForAService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		stop, tell := context.WithCancel(t.Context())
		s := newService("the bucket", 10*time.Minute, slog.New(slog.NewTextHandler(&log, nil)))
		s.stop = stop.Done()
		began := time.Now()
		time.AfterFunc(time.Minute, tell)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := s.try(t.Context(), away); !errors.Is(err, errStopped) || time.Since(began) != time.Minute {
					t.Errorf("the wait ended after %s with %v", time.Since(began), err)
				}
			})
		}
		all.Go(func() {
			var outage *OutageError
			if err := s.tryAtStop(t.Context(), away); !errors.As(err, &outage) {
				t.Errorf("what is written at a stop ended with %v", err)
			}
		})
		all.Wait()
		if told := strings.Count(log.String(), "event=stop_in_vain"); told != 1 {
			t.Errorf("that nobody waits was told %d times", told)
		}
	})
}

// The quota is kept in the ledger. A ledger that is away must hold up the users
// who wait for a slot, not fail them.
func TestQuotaOutOfReachIsAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := New(Config{OutageBound: time.Millisecond, Concurrency: 1}, Parts{Log: slog.New(slog.DiscardHandler)})
		noSlot := fmt.Errorf("take a slot of the quota: %w", store.ErrUnavailable)
		_, err := askVendor(t.Context(), w, func() (vlens.Listing, error) { return vlens.Listing{}, noSlot })
		var outage *OutageError
		if !errors.As(err, &outage) || outage.Service != "the database" || !errors.Is(err, store.ErrUnavailable) || !stopsRun(err) {
			t.Errorf("the error is %v", err)
		}
	})
}
