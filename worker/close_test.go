package worker_test

import (
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// What stands under the name of the summary, and is none, does not keep a run
// from being closed. verify finds it.
func TestForeignSummaryDoesNotKeepARunOpen(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"no JSON": "hello", "no end": `{"run_id": "first", "status": "open"}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := sealed(t, 1)
			p := tn.Process("first", nil)
			defer p.Close()
			opened, err := p.Ledger.OpenRun(t.Context(), store.Run{ID: "first", Kind: store.RunManual})
			if err != nil {
				t.Fatal(err)
			}
			overwrite(tn, manifest.Layout{Prefix: archivetest.Prefix}.Run(opened.StartedAt, "first")+manifest.RunSummary, []byte(body))
			report, err := p.Run(t.Context(), t.Context())
			if err != nil || !report.Closed || report.Totals.Run.Status != store.RunClosed {
				t.Errorf("the run ended with %v: %+v", err, report)
			}
		})
	}
}
