package worker_test

import (
	"context"
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

// lookupWithout leaves users out of what the source is asked for by id.
type lookupWithout struct {
	worker.Users
	missing func(id string) bool
}

func (u lookupWithout) Lookup(ctx context.Context, ids []string) (map[string]store.User, error) {
	users, err := u.Users.Lookup(ctx, ids)
	for _, id := range ids {
		if u.missing(id) {
			delete(users, id)
		}
	}
	return users, err
}

// A look-up that finds nobody whom the user query has is wrong: it ends the run, and
// nobody is marked.
func TestLookupThatFindsNobodyEndsTheRun(t *testing.T) {
	t.Parallel()
	const users = 12
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 13, ImageBytes: 8 << 10})
	source, err := postgres.OpenSource(t.Context(), postgres.SourceConfig{
		URL: store.Sensitive(tn.SourceURL), UsersSQL: "SELECT * FROM users", Identifiers: []string{"phone", "email"},
		LookupSQL: "SELECT * FROM users WHERE id = ANY($1) AND verified_at > now()",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	p := tn.Process("nightly", nil)
	defer p.Close()
	p.Users = lookupWith{p.Users, source.Lookup}
	if _, err := p.Run(t.Context(), t.Context()); !errors.Is(err, store.ErrSource) || !strings.Contains(err.Error(), "source.lookup_sql") {
		t.Errorf("the run ended with %v", err)
	}
	if n := tn.Count(`SELECT count(*) FROM archive.outcomes`); n != 0 {
		t.Errorf("%d users have an outcome", n)
	}
	tn.Run("next", nil)
	tn.CheckWhole(users)
}

// lookupWith looks users up in another way.
type lookupWith struct {
	worker.Users
	lookup func(ctx context.Context, ids []string) (map[string]store.User, error)
}

func (u lookupWith) Lookup(ctx context.Context, ids []string) (map[string]store.User, error) {
	return u.lookup(ctx, ids)
}

// Users who are deleted from the source during a run, a whole batch and more of
// them, fail by themselves.
func TestUsersDeletedDuringTheRun(t *testing.T) {
	t.Parallel()
	const users, deleted = 120, 32
	tn := archivetest.NewTenant(t, vlenstest.Options{
		People: users, Seed: 8, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{Latency: 20 * time.Millisecond},
	})
	p := tn.Process("nightly", nil)
	defer p.Close()
	go func() {
		p.WaitForUsers(10)
		tn.ExecSource(`DELETE FROM users WHERE id IN (SELECT id FROM users ORDER BY verified_at DESC OFFSET 60 LIMIT 32)`)
	}()
	report, err := p.Run(t.Context(), t.Context())
	if err != nil || report.Totals.Outcomes[store.OutcomeArchived] != users-deleted || report.Totals.Failures[store.ClassNoIdentifier] != deleted {
		t.Errorf("the run ended with %v, outcomes %v, failures %v", err, report.Totals.Outcomes, report.Totals.Failures)
	}
}

// A row that went away between sync and look-up is asked for again.
func TestRowThatWentAwayIsAskedForAgain(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 4, Seed: 14, ImageBytes: 8 << 10})
	p := tn.Process("first", nil)
	defer p.Close()
	p.Users = lookupWithout{p.Users, func(id string) bool { return id == "u-000002" }}
	if _, err := p.Run(t.Context(), t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ends(tn, "first")["u-000002"]; got != "failed no_identifier 0" {
		t.Errorf("the user ended as %q", got)
	}
	if n := tn.Count(`SELECT count(*) FROM archive.subjects WHERE next_due_at IS NULL`); n != 0 {
		t.Errorf("%d users are never tried again", n)
	}
}

// A user query that returns nobody marks nobody: neither as left nor as failed.
func TestEmptyUserQueryMarksNobody(t *testing.T) {
	t.Parallel()
	const users = 30
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 15, ImageBytes: 8 << 10})
	tn.Run("first", func(c *worker.Config) { c.Limit = 1 })
	tn.ExecSource(`DELETE FROM users`)
	p := tn.Process("second", nil)
	defer p.Close()
	if _, err := p.Run(t.Context(), t.Context()); !errors.Is(err, worker.ErrLeftHeld) {
		t.Errorf("the run ended with %v", err)
	}
	if n := tn.Count(`SELECT count(*) FROM archive.outcomes WHERE run_id = 'second'`); n != 0 {
		t.Errorf("%d users have an outcome", n)
	}
	tn.LoadUsers()
	tn.Run("third", nil)
	tn.CheckWhole(users)
}
