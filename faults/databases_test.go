package faults_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// slowTenant has users on whom some time is spent, and databases of its own.
func slowTenant(t *testing.T, users int) *archivetest.Tenant {
	t.Helper()
	return archivetest.NewTenantAlone(t, vlenstest.Options{
		People: users, Seed: 11, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{Latency: 20 * time.Millisecond},
	})
}

// checkAllArchived makes sure that the run ended well in spite of what happened.
func checkAllArchived(tn *archivetest.Tenant, report worker.Report, err error, users int64) {
	tn.T.Helper()
	if err != nil || report.WorkLeft || report.Totals.Outcomes[store.OutcomeArchived] != users {
		tn.T.Errorf("the run ended with %v, outcomes %v, failures %v\n%s", err, report.Totals.Outcomes, report.Totals.Failures, tn.Log)
	}
	tn.CheckWhole(int(users))
}

// A ledger that is read only for a while, as a primary is that is being replaced,
// is waited for.
func TestReadOnlyLedgerIsWaitedFor(t *testing.T) {
	t.Parallel()
	const users = 80
	tn := slowTenant(t, users)
	end := func() {
		tn.ExecSource(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'ledger'`)
	}
	p := tn.Process("nightly", func(c *worker.Config) { c.OutageBound = time.Minute })
	defer p.Close()
	go func() {
		p.WaitForUsers(10)
		tn.ExecLedger(`ALTER DATABASE ledger SET default_transaction_read_only = on`)
		end()
		pause(t.Context(), 3*time.Second)
		tn.ExecSource(`ALTER DATABASE ledger RESET default_transaction_read_only`)
		end()
	}()
	report, err := p.Run(t.Context(), t.Context())
	checkAllArchived(tn, report, err, users)
	if !strings.Contains(tn.Log.String(), "SQLSTATE 25006") {
		t.Errorf("the log does not say why the run waits:\n%s", tn.Log)
	}
}

// A query that is cancelled is no outage: the run ends at once and names what to
// change.
func TestCancelledStatements(t *testing.T) {
	t.Parallel()
	const slow = `ALTER TABLE users RENAME TO t;
		CREATE VIEW users AS SELECT t.* FROM t, (SELECT pg_sleep(3) OFFSET 0) AS s`
	t.Run("look-up", func(t *testing.T) {
		t.Parallel()
		tn := slowTenant(t, 10)
		p := tn.Process("nightly", nil)
		defer p.Close()
		tn.ExecSource(slow)
		source, err := postgres.OpenSource(t.Context(), postgres.SourceConfig{
			URL: store.Sensitive(tn.SourceURL), UsersSQL: "SELECT * FROM users", Identifiers: []string{"phone"}, LookupTimeout: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		p.Users = lookupsOf{p.Users, source}
		if _, err := p.Run(t.Context(), t.Context()); !errors.Is(err, store.ErrSource) || !strings.Contains(err.Error(), "source.lookup_sql") {
			t.Errorf("the run ended with %v", err)
		}
	})
	t.Run("sync, in spite of the role's statement_timeout", func(t *testing.T) {
		t.Parallel()
		tn := slowTenant(t, 10)
		tn.ExecSource(slow)
		tn.ExecSource(`ALTER DATABASE source SET statement_timeout = '500ms'`)
		report := tn.Run("nightly", nil)
		tn.ExecLedger(`ALTER DATABASE source RESET statement_timeout`)
		checkAllArchived(tn, report, nil, 10)
	})
	t.Run("ledger", func(t *testing.T) {
		t.Parallel()
		tn := slowTenant(t, 10)
		tn.ExecLedger(`
			CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(3); RETURN NEW; END $$;
			CREATE TRIGGER slow BEFORE INSERT ON archive.outcomes FOR EACH ROW EXECUTE FUNCTION slow()`)
		tn.ExecSource(`ALTER DATABASE ledger SET statement_timeout = '1s'`)
		p := tn.Process("nightly", nil)
		defer p.Close()
		_, err := p.Run(t.Context(), t.Context())
		if err == nil || errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "raise statement_timeout for the role of ledger.database_url") {
			t.Errorf("the run ended with %v", err)
		}
	})
}

// A conflict with recovery on a read replica of the source is tried again. The
// source raises it as such a replica does.
func TestConflictWithRecovery(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, tenantOf(5))
	tn.ExecSource(`
		CREATE FUNCTION conflict() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
			IF clock_timestamp() < '` + time.Now().Add(2*time.Second).Format(time.RFC3339Nano) + `' THEN
				RAISE 'canceling statement due to conflict with recovery' USING ERRCODE = '40001';
			END IF;
			RETURN true; END $$;
		ALTER TABLE users RENAME TO t;
		CREATE VIEW users AS SELECT t.* FROM t, (SELECT conflict() AS fine OFFSET 0) AS c WHERE c.fine`)
	report := tn.Run("nightly", nil)
	checkAllArchived(tn, report, nil, 5)
	if log := tn.Log.String(); !strings.Contains(log, "hot_standby_feedback") {
		t.Errorf("the log does not say what to set:\n%s", log)
	}
}
