package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store/postgres"
)

const (
	oldVerification = "6f1c1f9e-0000-4000-8000-000000000001"
	newVerification = "6f1c1f9e-0000-4000-8000-000000000002"
)

// oldOutcome is an outcome in a ledger of the release before; stored is how many
// images it stored.
type oldOutcome struct {
	outcome, class, transaction string
	stored                      int
}

// oldUser is a user in such a ledger, and how the migration is to leave the user.
type oldUser struct {
	name, state, class, reason string
	never                      bool // was never due again
	history                    []oldOutcome

	want      string // state, class and newest verification
	unlisted  bool
	dueWithin time.Duration // 0: as before
}

var oldUsers = []oldUser{
	{name: "never tried", state: "pending", reason: "new", want: "pending  "},
	{
		name: "archived", state: "archived", reason: "recheck", history: []oldOutcome{{"archived", "", oldVerification, 2}},
		want: "archived  " + oldVerification,
	},
	{
		name: "archived, no rechecks", state: "archived", reason: "recheck", never: true, history: []oldOutcome{{"archived", "", oldVerification, 2}, {"unchanged", "", oldVerification, 0}},
		want: "archived  " + oldVerification,
	},
	{
		name: "verified again, all failed for good", state: "archived", class: "gone", reason: "retry", never: true,
		history: []oldOutcome{{"archived", "", oldVerification, 2}, {"failed", "gone", newVerification, 0}},
		want:    "failed gone " + newVerification, dueWithin: time.Second,
	},
	{
		name: "verified again, some failed", state: "archived", class: "timeout", reason: "retry",
		history: []oldOutcome{{"archived", "", oldVerification, 2}, {"partial", "timeout", newVerification, 1}},
		want:    "partial timeout " + newVerification, dueWithin: time.Second,
	},
	{
		name: "verified again, failed, then not answered", state: "archived", class: "network", reason: "retry",
		history: []oldOutcome{{"archived", "", oldVerification, 2}, {"failed", "vendor_error", newVerification, 0}, {"failed", "network", "", 0}},
		want:    "failed network " + newVerification, dueWithin: time.Second,
	},
	{
		name: "verified again, failed, then not listed", state: "archived", reason: "retry",
		history: []oldOutcome{{"archived", "", oldVerification, 2}, {"failed", "vendor_error", newVerification, 0}, {"not_found", "", "", 0}},
		want:    "failed vendor_error " + newVerification, unlisted: true, dueWithin: time.Second,
	},
	{
		name: "verified again, then all there", state: "archived", reason: "recheck",
		history: []oldOutcome{{"archived", "", oldVerification, 2}, {"partial", "timeout", newVerification, 1}, {"archived", "", newVerification, 1}},
		want:    "archived  " + newVerification,
	},
	{
		name: "fetched again in vain", state: "archived", class: "timeout", reason: "retry",
		history: []oldOutcome{{"archived", "", oldVerification, 2}, {"failed", "timeout", oldVerification, 0}},
		want:    "archived timeout " + oldVerification,
	},
	{
		name: "archived, then without identifiers", state: "archived", class: "no_identifier", reason: "retry", never: true,
		history: []oldOutcome{{"archived", "", oldVerification, 2}, {"failed", "no_identifier", "", 0}},
		want:    "archived no_identifier " + oldVerification, dueWithin: 24 * time.Hour,
	},
	{
		name: "archived, no longer listed", state: "archived", reason: "retry",
		history: []oldOutcome{{"archived", "", oldVerification, 2}, {"no_images", "", "", 0}},
		want:    "archived  " + oldVerification, unlisted: true,
	},
	{
		name: "partial for ever", state: "partial", class: "gone", reason: "retry", history: []oldOutcome{{"partial", "gone", oldVerification, 1}, {"partial", "gone", oldVerification, 0}},
		want: "partial gone " + oldVerification,
	},
	{
		name: "partial, then verified again in vain", state: "partial", class: "too_large", reason: "retry",
		history: []oldOutcome{{"partial", "gone", oldVerification, 1}, {"failed", "too_large", newVerification, 0}},
		want:    "failed too_large " + newVerification,
	},
	{
		name: "partial, then not listed", state: "partial", reason: "retry",
		history: []oldOutcome{{"partial", "timeout", oldVerification, 1}, {"no_images", "", "", 0}},
		want:    "partial timeout " + oldVerification, unlisted: true,
	},
	{
		name: "listing said to be gone", state: "failed", class: "gone", reason: "retry", history: []oldOutcome{{"failed", "gone", "", 0}},
		want: "failed gone ",
	},
	{
		name: "given up for good", state: "failed", class: "no_identifier", reason: "retry", never: true, history: []oldOutcome{{"failed", "no_identifier", "", 0}},
		want: "failed no_identifier ", dueWithin: 24 * time.Hour,
	},
	{
		name: "shared", state: "failed", class: "shared_transaction", reason: "retry", never: true, history: []oldOutcome{{"failed", "shared_transaction", newVerification, 0}},
		want: "failed shared_transaction " + newVerification, dueWithin: 24 * time.Hour,
	},
	{
		name: "tried again soon", state: "failed", class: "timeout", reason: "retry", history: []oldOutcome{{"failed", "timeout", "", 0}},
		want: "failed timeout ",
	},
	{
		name: "without images", state: "no_images", reason: "retry", history: []oldOutcome{{"failed", "timeout", newVerification, 0}, {"no_images", "", "", 0}},
		want: "no_images  " + newVerification,
	},
	{
		name: "not found", state: "not_found", reason: "retry", history: []oldOutcome{{"not_found", "", "", 0}},
		want: "not_found  ",
	},
	{
		name: "changed and not tried since", state: "archived", class: "gone", reason: "changed",
		history: []oldOutcome{{"archived", "", oldVerification, 2}, {"failed", "gone", newVerification, 0}},
		want:    "failed gone " + newVerification, dueWithin: time.Second,
	},
}

func subjectNumber(n int) string {
	return strings.Repeat("a", 24) + string(rune('a'+n/26)) + string(rune('a'+n%26))
}

// addOldUsers fills a ledger of version 9.
func (s *services) addOldUsers(t *testing.T) {
	t.Helper()
	for n := range 4 {
		s.exec(t, `INSERT INTO archive.runs (run_id, kind, status, started_at, ended_at) VALUES ($1, 'manual', 'closed', now() - $2 * interval '1 day', now())`,
			fmt.Sprintf("r%d", n), 9-n)
	}
	for n, user := range oldUsers {
		subject := subjectNumber(n)
		var archived, last any
		for m, o := range user.history {
			run := fmt.Sprintf("r%d", m)
			at := time.Now().Add(time.Duration(m-9) * 24 * time.Hour)
			s.exec(t, `INSERT INTO archive.outcomes (run_id, subject, user_id, outcome, class, started_at, ended_at, transaction_id) VALUES ($1, $2, $3, $4, $5, $6, $6, $7)`,
				run, subject, user.name, o.outcome, o.class, at, o.transaction)
			for i := range o.stored {
				s.exec(t, `INSERT INTO archive.images (subject, transaction_id, kind, state, key, sha256, run_id) VALUES ($1, $2, 'id_front', 'stored', $3, $4, $5)`,
					subject, o.transaction, fmt.Sprint(subject, m, i), sha('1'), run)
			}
			if o.class == "gone" && o.transaction != "" {
				s.exec(t, `INSERT INTO archive.images (subject, transaction_id, kind, state, class, run_id) VALUES ($1, $2, 'id_back', 'gone', 'gone', $3)`, subject, o.transaction, run)
			}
			if o.outcome == "archived" || o.outcome == "unchanged" {
				archived = at
			}
			last = run
		}
		var due any
		if !user.never {
			due = time.Now().Add(7 * 24 * time.Hour)
		}
		s.exec(t, `INSERT INTO archive.subjects (subject, user_id, state, last_class, archived_at, attempts, next_due_at, due_reason, last_run_id) VALUES ($1, $2, $3, $4, $5, 3, $6, $7, $8)`,
			subject, user.name, user.state, user.class, archived, due, user.reason, last)
	}
}

// A ledger of the release before says what is true after the migration: whose
// newest verification is incomplete shows and is due at once, and nobody is given
// up for good.
func TestStandingMigration(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.migrateDownTo(t, 9)
	s.addOldUsers(t)
	up := func() {
		t.Helper()
		if _, err := postgres.Migrate(t.Context(), s.url, postgres.Up); err != nil {
			t.Fatal(err)
		}
		for n, user := range oldUsers {
			var got, reason string
			var unlisted bool
			var due *time.Time
			s.scan(t, []any{&got, &unlisted, &due, &reason}, `
				SELECT state || ' ' || last_class || ' ' || newest_transaction, unlisted_at IS NOT NULL, next_due_at, due_reason
				FROM archive.subjects WHERE subject = $1`, subjectNumber(n))
			if got != user.want || unlisted != user.unlisted {
				t.Errorf("%s: %q, no longer listed: %t; want %q, %t", user.name, got, unlisted, user.want, user.unlisted)
			}
			switch {
			case user.dueWithin > 0 && (due == nil || time.Until(*due) > user.dueWithin):
				t.Errorf("%s: due at %v, want within %s", user.name, due, user.dueWithin)
			case user.dueWithin == 0 && (due == nil) != user.never:
				t.Errorf("%s: due at %v", user.name, due)
			case due == nil && reason != "recheck":
				t.Errorf("%s: never due for %s", user.name, reason)
			}
		}
	}
	up()
	var failures string
	s.scan(t, []any{&failures}, `SELECT string_agg(concat_ws(' ', class, lasting, users), ', ' ORDER BY class, lasting) FROM archive.failures`)
	if want := "gone settled 3, gone transient 1, network transient 1, no_identifier settled 1, shared_transaction settled 1, timeout settled 1, timeout transient 2, too_large settled 1, vendor_error settled 1"; failures != want {
		t.Errorf("failures: %s\nwant: %s", failures, want)
	}

	// Before, a user once archived stayed archived.
	s.migrateDownTo(t, 9)
	for n, user := range oldUsers {
		var state string
		s.scan(t, []any{&state}, `SELECT state FROM archive.subjects WHERE subject = $1`, subjectNumber(n))
		if state != user.state {
			t.Errorf("%s: %s after a step back, was %s", user.name, state, user.state)
		}
	}
	up()
}

// A process of the release before would write on what the migration ends; and what
// was granted on the views stays granted.
func TestStandingMigrationAlone(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.migrateDownTo(t, 9)
	s.exec(t, `DO $$ BEGIN CREATE ROLE reads_the_views; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
		GRANT SELECT ON archive.coverage, archive.failures TO reads_the_views;
		INSERT INTO archive.runs (run_id, kind, status) VALUES ('r1', 'manual', 'open');
		INSERT INTO archive.processes (process, worker, run_id, started_at, heartbeat_at) VALUES ('p1', 'w', 'r1', now(), now())`)
	if _, err := postgres.Migrate(t.Context(), s.url, postgres.Up); err == nil || !strings.Contains(err.Error(), "suspend the CronJob") {
		t.Errorf("beside a process: %v", err)
	}
	s.exec(t, `UPDATE archive.processes SET heartbeat_at = now() - interval '61 seconds'`)
	if _, err := postgres.Migrate(t.Context(), s.url, postgres.Up); err != nil {
		t.Fatal(err)
	}
	for _, view := range []string{"coverage", "failures"} {
		if n := s.count(t, `SELECT count(*) FROM pg_class WHERE oid = ('archive.' || $1)::regclass AND has_table_privilege('reads_the_views', oid, 'SELECT')`, view); n != 1 {
			t.Errorf("archive.%s is no longer granted", view)
		}
	}
}

// Of a million users who were given up for good not all are due at the same time.
func TestStandingMigrationSpreadsTheGivenUp(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.migrateDownTo(t, 9)
	s.exec(t, `INSERT INTO archive.subjects (subject, user_id, state, last_class, next_due_at, due_reason)
		SELECT translate(rpad(md5(g::text), 26, 'a'), '0189', 'wxyz'), g::text, 'failed', 'no_identifier', NULL, 'retry' FROM generate_series(1, 2400) AS g`)
	if _, err := postgres.Migrate(t.Context(), s.url, postgres.Up); err != nil {
		t.Fatal(err)
	}
	var least, most, hours int64
	s.scan(t, []any{&least, &most, &hours}, `
		SELECT min(x.n), max(x.n), count(*) FROM (
			SELECT count(*) AS n FROM archive.subjects GROUP BY floor(extract(epoch FROM next_due_at - now()) / 3600)) AS x`)
	if least < 50 || most > 200 || hours < 23 || hours > 25 {
		t.Errorf("between %d and %d users are due in each of %d hours; want about 100 in each of 24", least, most, hours)
	}
}
