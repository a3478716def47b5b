package worker

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/vlens"
)

// When one item gives up on a service that is away, those that are cancelled
// because of it must not pass for answers of the service: others would then take
// the outage for a failure of their own.
func TestCancelledItemIsNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService("the service", time.Minute, slog.New(slog.DiscardHandler))
		away := &vlens.Error{Endpoint: vlens.EndpointImage, Fault: vlens.FaultNetwork}
		cancelledItem, cancel := context.WithCancel(t.Context())
		go func() {
			_ = s.try(cancelledItem, ofVendor, func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			})
		}()
		tries := 0
		err := s.try(t.Context(), ofVendor, func(context.Context) error {
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
