package worker_test

import (
	"strings"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// unnamed is a vendor that names no transaction and serves images by their file
// names alone.
var unnamed = vlenstest.Rules{References: "names", Row: "no_transaction", Transaction: "optional"}

// Once the vendor has served images without a transaction id, the failure of a
// first image says nothing of those that follow it.
func TestBadImageAmongUnnamedOnes(t *testing.T) {
	t.Parallel()
	bad := map[string]string{"u-000001": "gone", "u-000002": "empty", "u-000003": "not_image"}
	users := map[string]vlenstest.Rules{}
	for id, image := range bad {
		users[id] = vlenstest.Rules{Images: map[vlenstest.Kind]string{vlenstest.IDFront: image}}
	}
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 12, Seed: 21, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{All: unnamed, Users: users}})
	tn.ExecSource(`UPDATE users SET verified_at = '2020-01-01' WHERE id <= 'u-000003'`) // they come last
	tn.Run("first", func(c *worker.Config) { c.Concurrency = 2 })
	ended := ends(tn, "first")
	for id, class := range map[string]string{"u-000001": "gone", "u-000002": "bad_payload", "u-000003": "not_an_image"} {
		if !strings.HasPrefix(ended[id], "partial "+class+" ") {
			t.Errorf("%s ended as %s, want partial %s", id, ended[id], class)
		}
	}
	if n := tn.Count(`SELECT count(*) FROM archive.images WHERE state = 'stored'`); n != 9*6+3*5 {
		t.Errorf("%d images are stored, want all but the three that are bad", n)
	}
}

// Answers that do not tell whether the vendor serves such images fail their users
// for now, one image each, and give nobody up for good.
func TestDoubtAboutUnnamedImages(t *testing.T) {
	t.Parallel()
	const users = 10
	rules := unnamed
	rules.Image = "empty"
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 22, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{All: rules}})
	tn.Run("first", nil)
	if n := tn.Count(`SELECT count(*) FROM archive.subjects WHERE state = 'failed' AND last_class = 'bad_payload' AND next_due_at IS NOT NULL`); n != users {
		t.Errorf("%d users failed for now, want %d: %v", n, users, ends(tn, "first"))
	}
	if got := tn.Sim.Requests(vlenstest.Image); got > 2*users {
		t.Errorf("%d image requests, want one image of each user, asked for twice at most", got)
	}
	if err := tn.Sim.Change(func(s *vlenstest.Scenario) { s.All.Image = "" }); err != nil {
		t.Fatal(err)
	}
	tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
	if report := tn.Run("second", nil); report.Totals.Users["archived"] != users {
		t.Errorf("after the images are well: %+v", report.Totals.Users)
	}
}
