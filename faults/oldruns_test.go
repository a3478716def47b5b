package faults_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens/vlenstest"
)

// An old run that cannot be closed, because the bucket refuses its manifest, keeps
// nobody from being archived in other runs. It is told, counted, and closed when it
// can be.
func TestOldRunThatCannotBeClosed(t *testing.T) {
	t.Parallel()
	const users = 20
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 31, ImageBytes: 4 << 10})
	tn.ExecSource(`CREATE TABLE later AS SELECT * FROM users ORDER BY id OFFSET 10`)
	tn.ExecSource(`DELETE FROM users WHERE id IN (SELECT id FROM later)`)
	good := tn.S3URL
	tn.S3URL = archivetest.Gateway(t, good, func(w http.ResponseWriter, r *http.Request) bool {
		refused := r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/first/manifest.jsonl.gz")
		if refused {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
		return refused
	})
	first := tn.Process("first", nil)
	if _, err := first.Run(t.Context(), t.Context()); err == nil {
		t.Fatal("the run whose manifest is refused is closed")
	}
	first.Close()
	tn.ExecSource(`INSERT INTO users SELECT * FROM later`)
	left(tn, "first")

	second := tn.Process("second", nil)
	defer second.Close()
	report, err := second.Run(t.Context(), t.Context())
	if err != nil || !report.Closed || report.Totals.Outcomes[store.OutcomeArchived] != users/2 {
		t.Errorf("the next run ended with %v, outcomes %v", err, report.Totals.Outcomes)
	}
	if !strings.Contains(tn.Log.String(), `"event":"close_failed"`) {
		t.Errorf("the log does not tell of the old run:\n%s", tn.Log)
	}
	ledger, err := postgres.OpenLedger(t.Context(), store.Sensitive(tn.LedgerURL))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	if figures, err := ledger.Figures(t.Context()); err != nil || figures.RunsUnclosed != 1 {
		t.Errorf("%d runs are counted as unclosed, %v", figures.RunsUnclosed, err)
	}

	tn.S3URL = good
	if third := tn.Run("third", nil); len(third.Interrupted) != 1 || third.Interrupted[0].Run.ID != "first" {
		t.Errorf("the run after that closed %+v", third.Interrupted)
	}
	tn.CheckWhole(users)
}

// A report for people that cannot be made keeps no run from being closed.
func TestReportThatCannotBeMade(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, tenantOf(5))
	p := tn.Process("nightly", nil)
	defer p.Close()
	p.Reporter = brokenReporter{}
	if report, err := p.Run(t.Context(), t.Context()); err != nil || !report.Closed {
		t.Errorf("the run ended with %v: %+v", err, report)
	}
	if !strings.Contains(tn.Log.String(), `"event":"report_failed"`) {
		t.Errorf("the log does not tell of the report:\n%s", tn.Log)
	}
}

type brokenReporter struct{}

func (brokenReporter) WriteRunReport(context.Context, io.Writer, string, store.RunStatus) error {
	return errors.New("ledger database: count for a report: SQLSTATE 22003")
}
