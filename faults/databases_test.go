package faults_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
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

// A database to which connections are begun and never made, as when its host is
// gone, is waited for, and named with its host.
func TestConnectionsThatAreNeverMade(t *testing.T) {
	t.Parallel()
	const users = 60
	tn := archivetest.NewTenantAlone(t, tenantOf(users))
	proxy := services["ledger and source"](tn)
	p := tn.Process("nightly", func(c *worker.Config) { c.Concurrency = 8; c.OutageBound = time.Minute })
	defer p.Close()
	mended := make(chan struct{})
	go func() {
		defer close(mended)
		p.WaitForUsers(8)
		proxy.cut()
		proxy.poison("timeout", map[string]any{"timeout": 0})
		proxy.back()
		pause(t.Context(), 12*time.Second) // more than a connection may take
		proxy.heal()
		proxy.cut()
		proxy.back()
	}()
	report, err := p.Run(t.Context(), t.Context())
	<-mended
	checkAllArchived(tn, report, err, users)
	if log := tn.Log.String(); !strings.Contains(log, "service_away") || !strings.Contains(log, proxy.proxy.Listen) {
		t.Errorf("the log does not name what is away:\n%s", log)
	}
}

// Connections whose other end says nothing any more, and breaks nothing off, are
// given up: new ones are made, and everybody is archived.
func TestHalfOpenConnections(t *testing.T) {
	t.Parallel()
	const users = 60
	for name, through := range map[string]func(tn *archivetest.Tenant) *proxied{
		"ledger and source": services["ledger and source"],
		"source": func(tn *archivetest.Tenant) *proxied {
			ledger := tn.LedgerURL
			defer func() { tn.LedgerURL = ledger }()
			return services["ledger and source"](tn)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenantAlone(t, tenantOf(users))
			proxy := through(tn)
			p := tn.Process("nightly", func(c *worker.Config) {
				c.Concurrency = 4
				c.OutageBound, c.Silence = 2*time.Minute, 20*time.Second
			})
			defer p.Close()
			source, err := postgres.OpenSource(t.Context(), postgres.SourceConfig{
				URL: store.Sensitive(tn.SourceURL), UsersSQL: "SELECT * FROM users",
				Identifiers: []string{"phone", "email"}, LookupTimeout: 5 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			p.Users = lookupsOf{p.Users, source}
			mended := make(chan struct{})
			go func() {
				defer close(mended)
				p.WaitForUsers(8)
				proxy.poison("timeout", map[string]any{"timeout": 0}) // swallows all, closes nothing
				pause(t.Context(), time.Minute)
				proxy.heal() // what was swallowed stays away
			}()
			report, err := p.Run(t.Context(), t.Context())
			<-mended
			checkAllArchived(tn, report, err, users)
		})
	}
}

// lookupsOf looks users up in another source.
type lookupsOf struct {
	worker.Users
	source *postgres.Source
}

func (l lookupsOf) Lookup(ctx context.Context, ids []string) (map[string]store.User, error) {
	return l.source.Lookup(ctx, ids)
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

// Users whose rows another session has locked are waited for, while the heart goes
// on beating, and the log says so.
func TestLockedUsersAreWaitedFor(t *testing.T) {
	t.Parallel()
	const users = 40
	tn := slowTenant(t, users)
	p := tn.Process("nightly", func(c *worker.Config) { c.Silence = 5 * time.Second; c.OutageBound = time.Minute })
	defer p.Close()
	go func() {
		p.WaitForUsers(5)
		tn.ExecLedger(`DO $$ BEGIN PERFORM 1 FROM archive.subjects FOR UPDATE; PERFORM pg_sleep(14); END $$`)
	}()
	report, err := p.Run(t.Context(), t.Context())
	checkAllArchived(tn, report, err, users)
	log := tn.Log.String()
	if !strings.Contains(log, `"event":"lock_wait"`) || strings.Contains(log, "process_lost") || strings.Contains(log, "heartbeat_failed") {
		t.Errorf("the log:\n%s", log)
	}
	if n := tn.Sim.Requests(vlenstest.List); n != users {
		t.Errorf("%d listings for %d users", n, users)
	}
}

// The sync waits for a lock on the table too, says so, and gives up after the bound.
func TestLockedTable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		held string
		fits func(error) bool
	}{
		"for a while": {"8", func(err error) bool { return err == nil }},
		"for long":    {"30", func(err error) bool { return errors.Is(err, store.ErrLocked) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, tenantOf(5))
			const lock = `FROM pg_locks WHERE mode = 'ShareUpdateExclusiveLock' AND relation = 'archive.subjects'::regclass
				AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
			var holder sync.WaitGroup
			defer holder.Wait()
			holder.Go(func() {
				tn.ExecLedger(`DO $$ BEGIN
					LOCK TABLE archive.subjects IN SHARE UPDATE EXCLUSIVE MODE; PERFORM pg_sleep(` + c.held + `);
					EXCEPTION WHEN query_canceled THEN NULL; END $$`)
			})
			for tn.Count(`SELECT count(*) `+lock) == 0 {
				pause(t.Context(), 10*time.Millisecond)
			}
			p := tn.Process("nightly", func(c *worker.Config) { c.OutageBound = 12 * time.Second })
			defer p.Close()
			_, err := p.Run(t.Context(), t.Context())
			if !c.fits(err) {
				t.Errorf("the run ended with %v", err)
			}
			if !strings.Contains(tn.Log.String(), `"event":"lock_wait"`) {
				t.Errorf("the log does not say why the run waits:\n%s", tn.Log)
			}
			tn.ExecLedger(`SELECT pg_cancel_backend(pid) ` + lock)
		})
	}
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

// Requests of a process that lost its heartbeat are counted once.
func TestRequestsAfterALostHeartbeat(t *testing.T) {
	t.Parallel()
	const users = 100
	tn := archivetest.NewTenant(t, vlenstest.Options{
		People: users, Seed: 7, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{Latency: 100 * time.Millisecond},
	})
	p := tn.Process("nightly", nil)
	defer p.Close()
	go func() {
		p.WaitForUsers(40)
		tn.ExecLedger(`UPDATE archive.processes SET heartbeat_at = now() - interval '5 minutes'`)
	}()
	report, err := p.Run(t.Context(), t.Context())
	checkAllArchived(tn, report, err, users)
	if !strings.Contains(tn.Log.String(), "process_lost") {
		t.Error("the heartbeat was not lost")
	}
	for endpoint, name := range map[vlenstest.Endpoint]string{vlenstest.Login: "login", vlenstest.List: "list", vlenstest.Image: "image"} {
		// Those in flight are dropped, some of them before Vlens has them.
		if got, want := report.Totals.Requests[name], int64(tn.Sim.Requests(endpoint)); got < want || got > want+16 {
			t.Errorf("%d requests for %s are counted, Vlens had %d", got, name, want)
		}
	}
	if n := report.Totals.Requests[store.UntoldRequests]; n != 0 {
		t.Errorf("%d requests are untold", n)
	}
}
