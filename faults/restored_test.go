package faults_test

import (
	"errors"
	"strings"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// TestLedgerFromABackup puts back a ledger from before a run. The bucket has what
// the run archived; the next run must find it there, adopt records byte for
// byte, and ask for no image again. The log knows more than that ledger: the run
// must raise an alarm and sign nothing.
func TestLedgerFromABackup(t *testing.T) {
	t.Parallel()
	const users, before = 40, 15
	tn := archivetest.NewTenantAlone(t, tenantOf(users))
	tn.Seals = true
	ids := tn.UserIDs()
	tn.ExecSource(`CREATE TABLE later AS SELECT * FROM users`)
	tn.ExecSource(`DELETE FROM users WHERE id <> ALL ($1)`, ids[:before])
	tn.Run("monday", nil)
	if err := tn.Postgres.CreateDatabase(t.Context(), "backup", "ledger"); err != nil {
		t.Fatal(err)
	}
	tn.ExecSource(`INSERT INTO users SELECT * FROM later WHERE id <> ALL ($1)`, ids[:before])
	tn.Run("tuesday", nil)
	wholeBefore := tn.Objects()

	if err := tn.Postgres.DropDatabase(t.Context(), "ledger"); err != nil {
		t.Fatal(err)
	}
	if err := tn.Postgres.CreateDatabase(t.Context(), "ledger", "backup"); err != nil {
		t.Fatal(err)
	}
	images := tn.Sim.Requests(vlenstest.Image)
	p := tn.Process("wednesday", nil)
	defer p.Close()
	report, err := p.Run(t.Context(), t.Context())
	if !errors.Is(err, worker.ErrLogAlarm) || !report.Closed {
		t.Errorf("the run ended with %v, closed: %t", err, report.Closed)
	}
	if n := tn.Log.Events("log_alarm"); n == 0 {
		t.Error("no alarm was logged")
	}
	if spent := tn.Sim.Requests(vlenstest.Image) - images; spent != 0 {
		t.Errorf("%d images were asked for again", spent)
	}
	tn.CheckWhole(users)
	whole := tn.Objects()
	for key, object := range wholeBefore {
		if string(whole[key].Body) != string(object.Body) {
			t.Errorf("%q has changed", key)
		}
	}
	if n := tn.Count(`SELECT count(*) FROM archive.records WHERE run_id = 'wednesday'`); n != users-before {
		t.Errorf("%d records were adopted, want %d", n, users-before)
	}
	for key := range whole {
		if _, there := wholeBefore[key]; !there && strings.HasPrefix(key, archivetest.Prefix+"/log/") {
			t.Errorf("%q was put into the log", key)
		}
		if _, there := wholeBefore[key]; !there && archivetest.UnderSubjects(key) {
			t.Errorf("%q is new", key)
		}
	}
}
