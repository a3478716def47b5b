package faults_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// What the ledger refuses of one user fails that user, and nobody else; a ledger
// that refuses everybody ends the run.
func TestLedgerRefusesAValue(t *testing.T) {
	t.Parallel()
	const users = 40
	for name, c := range map[string]struct {
		rule string
		fits func(report worker.Report, err error) bool
	}{
		"of one user": {"subject <> '%s'", func(report worker.Report, err error) bool {
			return err == nil && report.Totals.Outcomes[store.OutcomeArchived] == users-1 && report.Totals.Failures[store.ClassInternal] == 1
		}},
		"of everybody": {"subject = '%s'", func(report worker.Report, err error) bool {
			return errors.Is(err, worker.ErrBreaker) && report.Totals.Failures[store.ClassInternal] >= 20
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, tenantOf(users))
			odd := tn.Key().Subject(tn.UserIDs()[users/2])
			tn.ExecLedger(fmt.Sprintf(`ALTER TABLE archive.records ADD CONSTRAINT odd CHECK (`+c.rule+`)`, odd))
			p := tn.Process("nightly", nil)
			defer p.Close()
			if report, err := p.Run(t.Context(), t.Context()); !c.fits(report, err) {
				t.Errorf("the run ended with %v, outcomes %v, failures %v\n%s", err, report.Totals.Outcomes, report.Totals.Failures, tn.Log)
			}
			if !strings.Contains(tn.Log.String(), "user_refused") {
				t.Errorf("the log:\n%s", tn.Log)
			}
			// Once the ledger takes it, everybody is archived, and nothing is fetched again.
			tn.ExecLedger(`ALTER TABLE archive.records DROP CONSTRAINT odd`)
			tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
			images := tn.Sim.Requests(vlenstest.Image)
			tn.Run("next", nil)
			tn.CheckWhole(users)
			if name == "of one user" && tn.Sim.Requests(vlenstest.Image) != images {
				t.Error("images were fetched again")
			}
		})
	}
}
