package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// queries gives the site another user query.
func (s *site) queries(sql string) {
	s.t.Helper()
	config := strings.Replace(siteConfig, "users_sql: SELECT id, email, phone, transaction_id, verified_at FROM users", "users_sql: |\n    "+sql, 1)
	if err := os.WriteFile(s.config, []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func TestRefusedRunIsClosedByItsProcess(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 3}).migrated()
	for name, sql := range map[string]string{
		"not understood": "SELECT id, email, phone FROM nowhere",
		"column missing": "SELECT id, email FROM users",
		"duplicate ids":  "SELECT id, email, phone FROM users UNION ALL SELECT id, email, phone FROM users",
		"empty id":       "SELECT '' AS id, email, phone FROM users",
		"personal ids":   "SELECT email AS id, email, phone FROM users",
	} {
		s.queries(sql)
		refused := read[statedRun](s.run("run", "--json").exits(exitInvalid).says("source.users_sql"))
		if refused.Status != store.RunInterrupted || !refused.Closed || refused.EndedAt == nil {
			t.Errorf("%s: the run is left %+v", name, refused)
		}
	}
	for _, line := range read[statedStatus](s.run("status", "--json").exits(exitDone)).Runs {
		if line.Status != store.RunInterrupted {
			t.Errorf("status: run %q is %s", line.RunID, line.Status)
		}
	}
	if n := s.vlens.Requests(); n != 0 {
		t.Errorf("%d requests for runs that were refused", n)
	}

	s.queries("SELECT id, email, phone FROM users")
	unknown := read[statedRun](s.run("backfill", "--user", "u-999999", "--json").exits(exitInvalid))
	if unknown.Status != store.RunInterrupted {
		t.Errorf("a backfill of nobody is left %+v", unknown)
	}
	if done := read[statedRun](s.run("run", "--json").exits(exitDone)); done.Outcomes[store.OutcomeArchived] != 3 {
		t.Errorf("the next run: %+v", done)
	}
}

// A run whose id was given is one that somebody comes back to.
func TestRefusedRunWithAnIDGoesOnOnceItsQueryIsMended(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 3}).migrated()
	s.queries("SELECT id, email FROM users")
	refused := read[statedRun](s.run("run", "--run-id", "nightly", "--json").exits(exitInvalid))
	if refused.Status != store.RunOpen || refused.Closed {
		t.Errorf("the refused run: %+v", refused)
	}
	s.queries("SELECT id, email, phone FROM users")
	done := read[statedRun](s.run("run", "--run-id", "nightly", "--json").exits(exitDone))
	if done.AlreadyComplete || !done.Closed || done.Status != store.RunClosed || done.Outcomes[store.OutcomeArchived] != 3 {
		t.Errorf("the run after the query was mended: %+v", done)
	}
}

// The server's own words where they cannot quote a row, and a hint only where it
// fits.
func TestWhatARefusedQueryIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 2}).migrated()
	s.inSource(`INSERT INTO users (id, email, phone) VALUES ('x', 'a@b.c', '12345678')`)
	const hint = "it must be one SELECT"
	for name, c := range map[string]struct {
		sql, says string
		hint      bool
	}{
		"not understood":     {sql: "SELECT id, email, phone FRM users", says: "syntax error", hint: true},
		"unknown column":     {sql: "SELECT id, email, mobile AS phone FROM users", says: `column "mobile" does not exist (SQLSTATE 42703)`},
		"no time":            {sql: "SELECT id, email, phone, email AS verified_at FROM users", says: "verified_at"},
		"cast to a time":     {sql: "SELECT id, email, phone, email::timestamptz AS verified_at FROM users", says: "SQLSTATE 22007"},
		"cast to a number":   {sql: "SELECT email::bigint AS id, email, phone FROM users", says: "some value cannot be converted to the type asked for (SQLSTATE 22P02)"},
		"cast of a constant": {sql: "SELECT id, email, phone, 'a@b.c'::timestamp AS verified_at FROM users", says: "SQLSTATE 22007"},
		"division by zero":   {sql: "SELECT 1 / (length(phone) - 8) AS id, email, phone FROM users", says: "it cannot be computed for some value (SQLSTATE 22012)"},
	} {
		s.queries(c.sql)
		for _, command := range []string{"run", "plan"} {
			e := s.run(command).exits(exitInvalid).says("source.users_sql").says(c.says)
			if strings.Contains(e.stderr, hint) != c.hint {
				t.Errorf("%s: %q is wrong here:\n%s", name, hint, e.stderr)
			}
			if strings.Contains(e.stdout+e.stderr, "a@b.c") || strings.Contains(e.stdout+e.stderr, "12345678") {
				t.Errorf("%s: a value of a row is printed:\n%s%s", name, e.stdout, e.stderr)
			}
		}
	}
}

// A bucket that refuses for another reason than a permission is no matter of
// credentials, which exit code 5 says to renew.
func TestExitCodesOfARefusingBucket(t *testing.T) {
	t.Parallel()
	for kind, want := range map[error]int{
		store.ErrBucketRefuses: exitFailed, store.ErrDenied: exitDenied, store.ErrRegion: exitInvalid, store.ErrBucketMissing: exitInvalid,
	} {
		if got := exitCode(fmt.Errorf("put: %w", kind)); got != want {
			t.Errorf("%v: exit code %d, want %d", kind, got, want)
		}
	}
}
