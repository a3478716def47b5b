package main

import (
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
