package worker_test

import (
	"errors"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

func limitTo(users int) func(*worker.Config) {
	return func(c *worker.Config) { c.Limit = users }
}

// A process with a limit archives as many users as that, the newest, and closes
// a run in which it is alone. The next run goes on with the others.
func TestLimitOfAProcess(t *testing.T) {
	t.Parallel()
	const users = 12
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 21, ImageBytes: 8 << 10})
	first := tn.Run("first", limitTo(9))
	if !errors.Is(first.Stopped, worker.ErrLimit) || !first.Closed || first.Totals.Run.Status != store.RunClosed || !first.WorkLeft || first.Totals.DueLeft != users-9 {
		t.Errorf("9 of %d users: %+v", users, first)
	}
	if n := first.Totals.Outcomes[store.OutcomeArchived]; n != 9 {
		t.Errorf("%d users were archived, want 9", n)
	}
	// A limit that is not less than what is due stops nobody.
	if last := tn.Run("second", limitTo(users-9)); last.Stopped != nil || !last.Closed || last.WorkLeft {
		t.Errorf("the last %d users: %+v", users-9, last)
	}
	tn.CheckWhole(users)
}

// Each process of a run has a limit of its own, and leaves the run to the others.
func TestLimitLeavesTheRunToOthers(t *testing.T) {
	t.Parallel()
	const users, limit = 20, 3
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 22, ImageBytes: 8 << 10})
	// One that lives all the time, and works only when the others are done.
	other := tn.Process("shared", nil)
	defer other.Close()
	if _, err := other.Ledger.OpenRun(t.Context(), store.Run{ID: "shared", Kind: store.RunManual}); err != nil {
		t.Fatal(err)
	}
	if err := other.Ledger.Enter(t.Context(), "alive", "test", "shared"); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		report := tn.Run("shared", limitTo(limit))
		if done := int(report.Totals.Outcomes[store.OutcomeArchived]); done != (n+1)*limit || report.Closed || report.Totals.Run.Status != store.RunOpen {
			t.Errorf("process %d: %d users are done, %+v", n+1, done, report)
		}
	}
	if err := other.Ledger.Leave(t.Context(), "alive", store.RunCounts{}); err != nil {
		t.Fatal(err)
	}
	if report, err := other.Run(t.Context(), t.Context()); err != nil || !report.Closed || report.WorkLeft {
		t.Errorf("the last process: %+v, %v", report, err)
	}
	tn.CheckWhole(users)
}

// Users whom a lost heartbeat took from a process do not count against its limit.
func TestLimitAfterALostHeartbeat(t *testing.T) {
	t.Parallel()
	const users, limit = 12, 8
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 23, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{Latency: 20 * time.Millisecond}})
	p := tn.Process("first", func(c *worker.Config) {
		c.Limit = limit
		c.Heartbeat = 20 * time.Millisecond
	})
	defer p.Close()
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		p.WaitForUsers(1)
		tn.TakeOver()
	}()
	report, err := p.Run(t.Context(), t.Context())
	<-killed
	if err != nil {
		t.Fatal(err)
	}
	if n := report.Totals.Outcomes[store.OutcomeArchived]; n != limit || tn.Log.Events("process_lost") == 0 {
		t.Errorf("%d users were archived after a lost heartbeat, want %d", n, limit)
	}
}
