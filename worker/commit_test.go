package worker

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/store"
)

// ledgerAway is a ledger that is away for a while.
type ledgerAway struct {
	Ledger
	until time.Time
}

func (l ledgerAway) Commit(context.Context, string, store.Result) error {
	if time.Now().Before(l.until) {
		return store.ErrUnavailable
	}
	return nil
}

// A commit waits for the ledger as long as anything does; only once the run is
// cancelled it has little time left.
func TestCommitWaitsForTheLedger(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		away, cancelled time.Duration
		committed       bool
	}{
		"away for five minutes":               {5 * time.Minute, time.Hour, true},
		"cancelled, and back soon":            {3 * time.Second, 0, true},
		"cancelled, and away for much longer": {5 * time.Minute, 50 * time.Second, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := New(Config{OutageBound: 10 * time.Minute, Concurrency: 1, SealRecords: 100}, Parts{
				Ledger: ledgerAway{until: time.Now().Add(c.away)}, Log: slog.New(slog.DiscardHandler),
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			began := time.Now()
			time.AfterFunc(c.cancelled, cancel)
			a := &attempt{Worker: w, started: began}
			err := a.commit(ctx, failed(store.ClassTimeout))
			if c.committed && err != nil || !c.committed && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: the commit ended with %v", name, err)
			}
			if took := time.Since(began); !c.committed && took > c.cancelled+commitTimeout {
				t.Errorf("%s: the commit ended after %s", name, took)
			}
		})
	}
}
