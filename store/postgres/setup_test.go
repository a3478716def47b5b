package postgres_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

const usersSQL = `SELECT id, email, phone, transaction_id, verified_at FROM app.users`

// services are a ledger and a source in one empty database. Names that are not
// qualified find nothing there.
type services struct {
	url    store.Sensitive
	ledger *postgres.Ledger
	source *postgres.Source
	users  *postgres.Users
	sql    *pgxpool.Pool // for the test itself
	key    store.SubjectKey
}

func newServices(t testing.TB) *services {
	t.Helper()
	s := &services{url: store.Sensitive(testservices.DB(t)), key: subjectKey(t)}
	s.sql = open(t, s.url)
	var name string
	s.scan(t, []any{&name}, `SELECT current_database()`)
	s.exec(t, fmt.Sprintf(`ALTER DATABASE %s SET search_path = ''`, pgx.Identifier{name}.Sanitize()))
	s.sql.Reset()
	if _, err := postgres.Migrate(t.Context(), s.url, postgres.Up); err != nil {
		t.Fatal(err)
	}
	s.exec(t, `CREATE SCHEMA app`)
	s.exec(t, `CREATE TABLE app.users (id text, email text, phone text, transaction_id text, verified_at timestamptz)`)

	ledger, err := postgres.OpenLedger(t.Context(), s.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ledger.Close)
	s.ledger = ledger
	s.useSource(t, postgres.SourceConfig{UsersSQL: usersSQL, Identifiers: []string{"phone", "email"}})
	return s
}

// useSource reads users by another query from now on.
func (s *services) useSource(t testing.TB, config postgres.SourceConfig) {
	t.Helper()
	config.URL = s.url
	source, err := postgres.OpenSource(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	s.source = source
	s.users = postgres.NewUsers(source, s.ledger)
}

func open(t testing.TB, url store.Sensitive) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func subjectKey(t testing.TB) store.SubjectKey {
	t.Helper()
	key, err := store.ParseSubjectKey(store.Sensitive(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (s *services) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := s.sql.Exec(context.WithoutCancel(t.Context()), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (s *services) scan(t testing.TB, into []any, sql string, args ...any) {
	t.Helper()
	if err := s.sql.QueryRow(t.Context(), sql, args...).Scan(into...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (s *services) count(t testing.TB, sql string, args ...any) int64 {
	t.Helper()
	var n int64
	s.scan(t, []any{&n}, sql, args...)
	return n
}

// addUsers adds user-1 to user-n to the source, the first the newest.
func (s *services) addUsers(t testing.TB, n int) {
	t.Helper()
	s.exec(t, `INSERT INTO app.users (id, phone, verified_at)
		SELECT 'user-' || g, '+2010' || g, timestamptz '2026-01-01' - g * interval '1 hour' FROM generate_series(1, $1) AS g`, n)
}

// begin opens a run and enters it.
func (s *services) begin(t testing.TB, run store.Run, process string) store.Run {
	t.Helper()
	if run.Kind == "" {
		run.Kind = store.RunManual
	}
	opened, err := s.ledger.OpenRun(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ledger.Enter(t.Context(), process, "worker", run.ID); err != nil {
		t.Fatal(err)
	}
	return opened
}

// sync reads the users in a run of its own, unless it is given one.
func (s *services) sync(t testing.TB, runID string) (store.SyncResult, error) {
	t.Helper()
	s.begin(t, store.Run{ID: runID}, "p-"+runID)
	return s.users.Sync(t.Context(), store.SyncRequest{RunID: runID, Process: "p-" + runID, Key: s.key})
}

func (s *services) mustSync(t testing.TB, runID string) store.SyncResult {
	t.Helper()
	result, err := s.sync(t, runID)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (s *services) claim(t testing.TB, run store.Run, process string, n int) []store.Task {
	t.Helper()
	tasks, err := s.ledger.Claim(t.Context(), run, process, store.NewestFirst, n)
	if err != nil {
		t.Fatal(err)
	}
	return tasks
}

// silence makes a process look dead.
func (s *services) silence(t testing.TB, process string) {
	t.Helper()
	s.exec(t, `UPDATE archive.processes SET heartbeat_at = heartbeat_at - interval '1 hour' WHERE process = $1`, process)
}

func done(task store.Task, runID string, outcome store.Outcome) store.Result {
	result := store.Result{Task: task, RunID: runID, Outcome: outcome, NextDue: time.Hour, Requests: 1, StartedAt: time.Now()}
	if outcome == store.OutcomeFailed || outcome == store.OutcomePartial {
		result.Class = store.ClassTimeout
	}
	return result
}

// withUser is the URL for another user of the same database.
func withUser(t testing.TB, raw store.Sensitive, user, password string) store.Sensitive {
	t.Helper()
	address, err := url.Parse(raw.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set("user", user)
	query.Set("password", password)
	address.RawQuery = query.Encode()
	return store.Sensitive(address.String())
}
