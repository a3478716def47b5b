package faults_test

import (
	"context"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
)

// TestRecordOfADeadAttempt lets a process die with a record that states a failed
// image. The next attempt can fetch the image, so it writes another record; the
// ledger must have both.
func TestRecordOfADeadAttempt(t *testing.T) {
	t.Parallel()
	options := tenantOf(1)
	options.Scenario.All.Images = map[vlenstest.Kind]string{"id_back": "error"}
	tn := archivetest.NewTenant(t, options)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := newFaultyProcess(tn, "nightly", &fault{at: "commit", die: cancel})
	_, err := p.Run(ctx, ctx)
	p.Close()
	if err == nil {
		t.Fatal("the process did not die")
	}
	tn.TakeOver()
	if err := tn.Sim.Change(func(s *vlenstest.Scenario) { s.All.Images = nil }); err != nil {
		t.Fatal(err)
	}
	tn.Run("nightly", nil)

	tn.CheckWhole(1)
	checkRunFiles(tn)
	if n := tn.Count(`SELECT count(*) FROM archive.records`); n != 2 {
		t.Errorf("the ledger has %d records, want 2", n)
	}
}
