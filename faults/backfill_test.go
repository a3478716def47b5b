package faults_test

import (
	"context"
	"sync"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// hands are the users who are being worked on, by whatever process.
type hands struct {
	mu   sync.Mutex
	held map[store.Subject]string // process
}

// watchedLedger fails the test when a user is in two hands at once.
type watchedLedger struct {
	worker.Ledger
	t *testing.T
	*hands
}

func (l watchedLedger) Claim(ctx context.Context, run store.Run, process string, order store.ClaimOrder, n int) ([]store.Task, error) {
	tasks, err := l.Ledger.Claim(ctx, run, process, order, n)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, task := range tasks {
		if other, there := l.held[task.Subject]; there {
			l.t.Errorf("%s claims a user whom %s works on", process, other)
		}
		l.held[task.Subject] = process
	}
	return tasks, err
}

// Commit lets go before the ledger does, after which another may claim at once.
func (l watchedLedger) Commit(ctx context.Context, process string, result store.Result) error {
	l.mu.Lock()
	delete(l.held, result.Subject)
	l.mu.Unlock()
	return l.Ledger.Commit(ctx, process, result)
}

// TestBackfillBesideAScheduledRun runs both over the same users at once; each
// user is done in both, by one process at a time, and no image is stored twice.
func TestBackfillBesideAScheduledRun(t *testing.T) {
	t.Parallel()
	const users = 80
	tn := archivetest.NewTenant(t, tenantOf(users))
	hands := &hands{held: map[store.Subject]string{}}
	runs := map[string]store.Run{
		"nightly":  {ID: "nightly", Kind: store.RunScheduled},
		"backfill": {ID: "backfill", Kind: store.RunBackfill, Selection: store.Selection{UserIDs: tn.UserIDs()}},
	}
	var both sync.WaitGroup
	for name, run := range runs {
		both.Go(func() {
			p := tn.Process(name, func(config *worker.Config) { config.Run = run })
			defer p.Close()
			p.Ledger = watchedLedger{p.Ledger, t, hands}
			if _, err := p.Run(t.Context(), t.Context()); err != nil {
				t.Errorf("run %s: %v", name, err)
			}
		})
	}
	both.Wait()
	if n := tn.Count(`SELECT count(*) FROM archive.outcomes WHERE run_id = 'backfill'`); n != users {
		t.Errorf("the backfill did %d users, want %d", n, users)
	}
	if n := tn.Sim.Requests(vlenstest.Image); n != users*vlenstest.KindCount {
		t.Errorf("%d images were asked for, want %d", n, users*vlenstest.KindCount)
	}
	tn.CheckWhole(users)
	checkRunFiles(tn)
}
