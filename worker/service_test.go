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
			_ = s.try(cancelledItem, vendorAway, func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			})
		}()
		tries := 0
		err := s.try(t.Context(), vendorAway, func(context.Context) error {
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
	err := s.try(t.Context(), vendorAway, func(context.Context) error { return away })
	var outage *OutageError
	if !errors.As(err, &outage) || !errors.Is(err, store.ErrUnavailable) || !stopsRun(err) {
		t.Errorf("the error is %v", err)
	}
}

// Everybody in flight meets an absence; the log tells of it once, and again when
// it lasts.
func TestAbsenceIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := newService("the service", 12*time.Second, slog.New(slog.NewTextHandler(&log, nil)))
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_ = s.try(t.Context(), storeAway, func(context.Context) error { return store.ErrUnavailable })
			})
		}
		all.Wait()
		if told := strings.Count(log.String(), "event=service_away"); told != 2 {
			t.Errorf("an absence of 12 s was told %d times, want 2", told)
		}
	})
}
