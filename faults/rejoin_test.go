package faults_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// A backfill that was stopped and then closed by another run says so to whoever
// comes back to it, as long as users are left; under another id it goes on.
func TestBackfillClosedByAnother(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 60, Seed: 12, ImageBytes: 4 << 10})
	tn.Run("zero", nil)
	tn.Sim.SetScenario(vlenstest.Scenario{Latency: 30 * time.Millisecond, Quota: vlenstest.QuotaRules{Preset: "none"}})
	backfill := func(c *worker.Config) {
		c.Rejoinable = true
		c.Run.Kind, c.Run.Selection = store.RunBackfill, store.Selection{Force: true}
	}
	p := tn.Process("again", backfill)
	defer p.Close()
	admit, stop := context.WithCancelCause(t.Context())
	go func() { p.WaitForUsers(10); stop(worker.ErrSignal) }()
	if report, err := p.Run(t.Context(), admit); err != nil || report.Totals.Run.Status != store.RunOpen || !report.WorkLeft {
		t.Fatalf("the backfill that is stopped ended with %v: %+v", err, report.Totals)
	}
	left(tn, "again")
	if nightly := tn.Run("nightly", nil); len(nightly.Interrupted) != 1 {
		t.Fatalf("the nightly run closed %d others", len(nightly.Interrupted))
	}

	rejoined := tn.Process("again", backfill)
	defer rejoined.Close()
	report, err := rejoined.Run(t.Context(), t.Context())
	if !errors.Is(err, worker.ErrInterrupted) || !report.AlreadyComplete || !strings.Contains(err.Error(), "another run id") {
		t.Errorf("the one that comes back ended with %v: %+v", err, report)
	}
	tn.Sim.SetScenario(vlenstest.Scenario{Quota: vlenstest.QuotaRules{Preset: "none"}})
	if report := tn.Run("other", backfill); report.WorkLeft || !report.Closed {
		t.Errorf("the other one: %+v", report)
	}
}

// left makes a run look as if its processes had been gone for long.
func left(tn *archivetest.Tenant, runID string) {
	tn.ExecLedger(`UPDATE archive.processes SET heartbeat_at = heartbeat_at - interval '1 hour' WHERE run_id = $1`, runID)
	tn.ExecLedger(`UPDATE archive.runs SET started_at = started_at - interval '1 hour' WHERE run_id = $1`, runID)
}
