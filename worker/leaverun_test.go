package worker

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/store"
)

// slowTotals is a ledger of many users, who take their time to be counted.
type slowTotals struct {
	Ledger
	takes time.Duration
}

func (slowTotals) Leave(context.Context, string, store.RunCounts) error { return nil }

func (l slowTotals) Totals(ctx context.Context, _ string) (store.RunTotals, error) {
	return store.RunTotals{UsersTotal: 5_000_000}, pause(ctx, l.takes)
}

func (slowTotals) LogState(context.Context) (store.LogState, error) { return store.LogState{}, nil }

// Who leaves a run waits for its totals, unless the process is to stop.
func TestTotalsHaveTheirTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := New(Config{OutageBound: 10 * time.Minute, Concurrency: 1}, Parts{
			Ledger: slowTotals{takes: 3 * time.Minute}, Log: slog.New(slog.DiscardHandler),
		})
		if totals, _, err := w.leave(t.Context(), nil); err != nil || totals.UsersTotal != 5_000_000 {
			t.Errorf("the totals are %+v, %v", totals, err)
		}
		stop, cancel := context.WithCancel(t.Context())
		w.stopAt(stop)
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		if _, _, err := w.leave(t.Context(), nil); err == nil || time.Since(began) > time.Second+LeavingTime {
			t.Errorf("at a stop leaving took %s and ended with %v", time.Since(began), err)
		}
	})
}
