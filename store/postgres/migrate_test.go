package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

func TestMigrateUpDownUp(t *testing.T) {
	t.Parallel()
	url := store.Sensitive(testservices.DB(t))
	steps, err := postgres.Migrate(t.Context(), url, postgres.Status)
	if err != nil || len(steps) == 0 || !steps[0].AppliedAt.IsZero() {
		t.Fatalf("status of an empty database = %v, %v", steps, err)
	}
	for range 2 {
		steps, err = postgres.Migrate(t.Context(), url, postgres.Up)
		if err != nil || steps[len(steps)-1].AppliedAt.IsZero() {
			t.Fatalf("up = %v, %v", steps, err)
		}
		for range steps {
			if _, err = postgres.Migrate(t.Context(), url, postgres.Down); err != nil {
				t.Fatal(err)
			}
		}
		steps, err = postgres.Migrate(t.Context(), url, postgres.Down)
		if err != nil || !steps[0].AppliedAt.IsZero() {
			t.Fatalf("down at the bottom = %v, %v", steps, err)
		}
	}
}

func TestMigrateTwoAtOnce(t *testing.T) {
	t.Parallel()
	url := store.Sensitive(testservices.DB(t))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := postgres.Migrate(t.Context(), url, postgres.Up); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestCheckSchema(t *testing.T) {
	t.Parallel()
	url := store.Sensitive(testservices.DB(t))
	ledger, err := postgres.OpenLedger(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ledger.Close)
	check := func(name, says string) {
		t.Helper()
		err := ledger.CheckSchema(t.Context())
		if says == "" && err != nil || says != "" && (!errors.Is(err, store.ErrSchema) || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
	check("empty database", "migrate up")
	if _, err := postgres.Migrate(t.Context(), url, postgres.Up); err != nil {
		t.Fatal(err)
	}
	check("migrated", "")
	sql := open(t, url)
	if _, err := sql.Exec(t.Context(), `INSERT INTO archive.goose_db_version (version_id, is_applied) VALUES (9999, true)`); err != nil {
		t.Fatal(err)
	}
	check("newer", "older than the ledger")
	if _, err := sql.Exec(t.Context(), `DELETE FROM archive.goose_db_version WHERE version_id > 1`); err != nil {
		t.Fatal(err)
	}
	check("older", "migrate up")
}

// History is insert-only also for the owner of the tables, whom grants do not bind.
func TestHistoryIsInsertOnly(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	for _, table := range []string{"images", "records", "outcomes", "log_entries", "access_log", "verifications", "exceptions"} {
		var column string
		s.scan(t, []any{&column}, `SELECT column_name FROM information_schema.columns WHERE table_schema = 'archive' AND table_name = $1 AND is_identity = 'NO' LIMIT 1`, table)
		for _, sql := range []string{
			"UPDATE archive." + table + " SET " + column + " = " + column,
			"DELETE FROM archive." + table,
			"TRUNCATE archive." + table,
			"TRUNCATE archive." + table + " CASCADE",
		} {
			_, err := s.sql.Exec(t.Context(), sql)
			if err == nil || !strings.Contains(err.Error(), "is history: rows are only added") {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
}

func TestDownKeepsHistory(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.exec(t, `INSERT INTO archive.access_log (action, reason) VALUES ('export', 'court order')`)
	var err error
	for range 10 {
		if _, err = postgres.Migrate(t.Context(), s.url, postgres.Down); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "holds history") {
		t.Fatalf("down with history: %v", err)
	}
	if _, err := s.sql.Exec(t.Context(), `DELETE FROM archive.access_log`); err == nil {
		t.Error("a refused migration left history unprotected")
	}
	if n := s.count(t, `SELECT count(*) FROM archive.access_log`); n != 1 {
		t.Fatalf("%d rows left", n)
	}
}

// What persons accepted is history, too.
func TestDownKeepsExceptions(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.exec(t, `INSERT INTO archive.exceptions (subject, transaction_id, class, act, reason, actor, at, audit_key, audit_sha256)
		VALUES (repeat('a', 26), '', 'gone', 'accepted', 'ticket 7', 'Mona Adel', now(), 'audit/accept-1.json', repeat('a', 64))`)
	var err error
	for range 10 {
		if _, err = postgres.Migrate(t.Context(), s.url, postgres.Down); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "holds exceptions") {
		t.Errorf("down with exceptions: %v", err)
	}
}

// Users whom an earlier version gave up for good as forbidden are due again, and
// nobody else is.
func TestForbiddenUsersAreDueAfterTheMigration(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.migrateDownTo(t, 7)
	s.exec(t, `INSERT INTO archive.subjects (subject, user_id, state, last_class, ready, next_due_at)
		SELECT repeat(class, 26), class, 'failed', name, false, NULL FROM (VALUES ('a', 'forbidden'), ('b', 'no_transaction')) AS v (class, name)`)
	if _, err := postgres.Migrate(t.Context(), s.url, postgres.Up); err != nil {
		t.Fatal(err)
	}
	var due string
	s.scan(t, []any{&due}, `SELECT string_agg(user_id, ',') FROM archive.subjects WHERE next_due_at <= now()`)
	if due != "a" {
		t.Errorf("due after the migration: %s", due)
	}
}

// migrateDownTo takes back all steps after that version.
func (s *services) migrateDownTo(t *testing.T, version int64) {
	t.Helper()
	steps, err := postgres.Migrate(t.Context(), s.url, postgres.Status)
	for err == nil && !steps[version].AppliedAt.IsZero() { // the step after it
		steps, err = postgres.Migrate(t.Context(), s.url, postgres.Down)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The ledger of an earlier version has its columns again after a step back, and
// the same users are due before and after.
func TestClaimsMigrationBothWays(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.addUsers(t, 4)
	s.mustSync(t, "r")
	tasks := s.claim(t, store.Run{ID: "r"}, "p-r", 3)
	retry := done(tasks[1], "r", store.OutcomeFailed)
	retry.NextDue = 0
	for _, result := range []store.Result{done(tasks[0], "r", store.OutcomeArchived), retry} {
		if err := s.ledger.Commit(t.Context(), "p-r", result); err != nil {
			t.Fatal(err)
		}
	}
	s.migrateDownTo(t, 8)
	var ready, dueUsers string
	s.scan(t, []any{&ready}, `SELECT string_agg(user_id, ' ' ORDER BY user_id) FROM archive.subjects WHERE ready`)
	if ready != "user-3 user-4" {
		t.Errorf("ready after the step back: %s", ready)
	}
	s.exec(t, `UPDATE archive.runs SET claimed = 1`)
	s.exec(t, `UPDATE archive.subjects SET ready = true WHERE user_id = 'user-2'`) // as a claim did that found the time had come
	s.silence(t, "p-r")                                                            // no step forward beside a process
	if _, err := postgres.Migrate(t.Context(), s.url, postgres.Up); err != nil {
		t.Fatal(err)
	}
	s.exec(t, `UPDATE archive.processes SET heartbeat_at = now()`)
	for _, task := range s.claim(t, store.Run{ID: "r"}, "p-r", 9) {
		dueUsers += task.UserID + " "
	}
	s.begin(t, store.Run{ID: "r2"}, "p2")
	for _, task := range s.claim(t, store.Run{ID: "r2"}, "p2", 9) {
		dueUsers += task.UserID + " "
	}
	if dueUsers != "user-4 user-2 " {
		t.Errorf("claimed after the step forward: %s", dueUsers)
	}
}

func TestEveryTableAndColumnIsExplained(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	rows, err := s.sql.Query(t.Context(), `
		SELECT c.relname || coalesce('.' || a.attname, '')
		FROM pg_catalog.pg_class AS c
		LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = 'archive'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname NOT IN ('goose_db_version', 'current_images')
		  AND (pg_catalog.obj_description(c.oid, 'pg_class') IS NULL OR pg_catalog.col_description(c.oid, a.attnum) IS NULL)`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		t.Errorf("archive.%s has no comment", name)
	}
}

// The classes stand in Go and, for people who read SQL, in the ledger.
func TestClassesAreTheSameInTheLedger(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	if n := s.count(t, `SELECT count(*) FROM archive.classes`); int(n) != len(store.Classes) {
		t.Errorf("%d classes in the ledger, %d in Go", n, len(store.Classes))
	}
	for _, class := range store.Classes {
		var settled bool
		s.scan(t, []any{&settled}, `SELECT settled FROM archive.classes WHERE class = $1`, class.Class)
		if settled != class.Settled {
			t.Errorf("%s: settled is %t in the ledger", class.Class, settled)
		}
	}
}

// A ledger from before dates were checked has them put right.
func TestMigrationTakesOutDatesOfOtherWorlds(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	for s.count(t, `SELECT count(*) FROM information_schema.columns WHERE table_schema = 'archive' AND column_name = 'sync_undated'`) > 0 {
		if _, err := postgres.Migrate(t.Context(), s.url, postgres.Down); err != nil {
			t.Fatal(err)
		}
	}
	for n, verified := range []string{"0001-01-01 00:00:00+00", "10000-01-01 00:00:00+00", "0044-03-15 BC", "1970-01-01 00:00:00+00", "2026-03-04 00:00:00+00", "2031-03-04 00:00:00+00"} {
		s.exec(t, `INSERT INTO archive.subjects (subject, user_id, verified_at) VALUES ($1, $2, $3::text::timestamptz)`, s.key.Subject(verified), fmt.Sprint(n), verified)
	}
	if _, err := postgres.Migrate(t.Context(), s.url, postgres.Up); err != nil {
		t.Fatal(err)
	}
	var dated string
	s.scan(t, []any{&dated}, `SELECT string_agg(user_id, ' ' ORDER BY user_id) FROM archive.subjects WHERE verified_at IS NOT NULL`)
	if dated != "4 5" {
		t.Errorf("dated are %s", dated)
	}
	status, err := s.ledger.Status(t.Context())
	if err != nil || status.OldestPendingAt.Year() != 2026 {
		t.Errorf("the oldest waits since %v, %v", status.OldestPendingAt, err)
	}
}
