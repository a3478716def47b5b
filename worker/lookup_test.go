package worker_test

import (
	"context"
	"errors"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
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

// A look-up that finds nobody is wrong: it ends the run, and nobody is marked.
func TestLookupThatFindsNobodyEndsTheRun(t *testing.T) {
	t.Parallel()
	const users = 12
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 13, ImageBytes: 8 << 10})
	p := tn.Process("first", nil)
	defer p.Close()
	p.Users = lookupWithout{p.Users, func(string) bool { return true }}
	if _, err := p.Run(t.Context(), t.Context()); !errors.Is(err, worker.ErrNobodyFound) || !errors.Is(err, store.ErrSource) {
		t.Errorf("the run ended with %v", err)
	}
	if n := tn.Count(`SELECT count(*) FROM archive.outcomes`); n != 0 {
		t.Errorf("%d users have an outcome", n)
	}
	tn.Run("second", nil)
	tn.CheckWhole(users)
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
