package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// What does not belong together is refused before a request is spent and before
// anything is written.
func TestForeignArchiveIsRefused(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 2, ImageBytes: 8 << 10})
	tn.Run("first", nil)
	requests, objects := tn.Sim.Requests(), len(tn.Objects())
	for name, change := range map[string]func(*worker.Config){
		"another subject key": func(c *worker.Config) { c.Identity.KeyCheck = strings.Repeat("0", 64) },
		"another tenant":      func(c *worker.Config) { c.Identity.TenancyName = "other" },
		"another log":         func(c *worker.Config) { c.Identity.Origin = "other.example/log" },
		"another layout":      func(c *worker.Config) { c.Identity.LayoutVersion++ },
		// An empty folder of the bucket: only the ledger knows that it is wrong.
		"another prefix": func(c *worker.Config) { c.Layout = manifest.Layout{Prefix: "elsewhere"} },
		"another prefix and key": func(c *worker.Config) {
			c.Layout = manifest.Layout{Prefix: "elsewhere"}
			c.Identity.KeyCheck = strings.Repeat("0", 64)
		},
	} {
		p := tn.Process("second", change)
		_, err := p.Run(t.Context(), t.Context())
		p.Close()
		if !errors.Is(err, store.ErrForeignArchive) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := tn.Sim.Requests(); got != requests {
		t.Errorf("%d requests were spent", got-requests)
	}
	if got := len(tn.Objects()); got != objects {
		t.Errorf("the bucket has %d objects, had %d", got, objects)
	}
}

// A source that can be synced but not looked up ends the run with an error, and
// closes it as interrupted. Users who cannot be looked up are neither done nor
// failed.
func TestFailingLookupEndsTheRun(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 3, ImageBytes: 8 << 10})
	tn.ExecSource(`ALTER TABLE users RENAME TO people`)
	tn.ExecSource(`CREATE VIEW users AS SELECT id, (1 / (length(phone) - length(phone)))::text AS email, phone, transaction_id, verified_at FROM people`)
	p := tn.Process("first", nil)
	defer p.Close()
	report, err := p.Run(t.Context(), t.Context())
	if err == nil || !strings.Contains(err.Error(), "look up users") || !report.Closed || report.Totals.Run.Status != store.RunInterrupted {
		t.Errorf("report %+v, error %v", report, err)
	}
	if n := tn.Count(`SELECT count(*) FROM archive.outcomes`); n != 0 {
		t.Errorf("%d users have an outcome", n)
	}
}

// One image that breaks every connection is one image that failed, at the price
// of as many requests as a request may be tried, also when nobody else is there
// by whom the vendor could be seen to be well.
func TestBreakingImageIsItsOwnFailure(t *testing.T) {
	t.Parallel()
	scenario := vlenstest.Scenario{}
	scenario.All.Images = map[vlenstest.Kind]string{vlenstest.Face2: "reset"}
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 1, ImageBytes: 8 << 10, Scenario: scenario})
	report := tn.Run("first", nil)
	if report.Totals.Outcomes[store.OutcomePartial] != 1 || report.Totals.Failures[store.ClassNetwork] != 1 {
		t.Errorf("outcomes %v, failures %v", report.Totals.Outcomes, report.Totals.Failures)
	}
	// Of the kit's client, and once more when nobody else is answered meanwhile.
	const attempts = 2
	if got := tn.Sim.Requests(vlenstest.Image); got > vlenstest.KindCount-1+2*attempts {
		t.Errorf("%d image requests", got)
	}
}

// A stop need not wait for a user query that takes its time.
func TestStopEndsTheSync(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 2, ImageBytes: 8 << 10})
	tn.ExecSource(`ALTER TABLE users RENAME TO people`)
	tn.ExecSource(`CREATE VIEW users AS SELECT p.* FROM people AS p, pg_sleep(60)`)
	admit, stop := context.WithCancelCause(t.Context())
	stop(worker.ErrSignal)
	p := tn.Process("first", nil)
	defer p.Close()
	report, err := p.Run(t.Context(), admit)
	if err != nil || !errors.Is(report.Stopped, worker.ErrSignal) {
		t.Errorf("stopped %v, error %v", report.Stopped, err)
	}
	if n := tn.Count(`SELECT count(*) FROM archive.subjects`); n != 0 {
		t.Errorf("%d users were synced", n)
	}
}
