package worker_test

import (
	"encoding/json"
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

func TestNoTransactionStopsCostingRequests(t *testing.T) {
	t.Parallel()
	const users = 30
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 6, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		All: vlenstest.Rules{References: "names", Row: "no_transaction"},
	}})
	// Two users are in flight at a time.
	tn.Seals = true // else the notes say that nothing is sealed
	report := tn.Run("first", func(c *worker.Config) { c.Concurrency = 2 })
	if got := tn.Sim.Requests(vlenstest.Image); got < 5 || got > 6 {
		t.Errorf("%d image requests, want one for each of the first five or six users", got)
	}
	if got := tn.Sim.Requests(vlenstest.List); got < 5 || got > 8 {
		t.Errorf("%d listings, want none once it is known to be in vain", got)
	}
	if got := tn.Count(`SELECT count(*) FROM archive.outcomes WHERE outcome = 'failed' AND class = 'no_transaction'`); got != users {
		t.Errorf("%d users failed with no_transaction, want all %d", got, users)
	}
	var summary struct{ Notes []string }
	for key, object := range tn.Objects() {
		if strings.HasSuffix(key, "/first/summary.json") {
			if err := json.Unmarshal(object.Body, &summary); err != nil {
				t.Fatal(err)
			}
		}
	}
	for where, notes := range map[string][]string{"report": report.Notes, "summary.json": summary.Notes} {
		if len(notes) != 1 || !strings.Contains(notes[0], "add transaction_id to source.users_sql") {
			t.Errorf("notes in the %s: %q", where, notes)
		}
	}

	// With the column in the query everybody is due again.
	if err := tn.Sim.Change(func(s *vlenstest.Scenario) { s.All.Row = "" }); err != nil {
		t.Fatal(err)
	}
	tn.LoadUsers()
	if report := tn.Run("second", nil); report.Totals.Users["archived"] != users || len(report.Notes) != 0 {
		t.Errorf("with transaction ids: %+v, notes %q", report.Totals.Users, report.Notes)
	}
	tn.CheckWhole(users)
}

func TestUnnamedTransactionsThatAreServed(t *testing.T) {
	t.Parallel()
	const users = 6
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 7, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		All: vlenstest.Rules{References: "names", Row: "no_transaction", Transaction: "optional"},
	}})
	tn.Seals = true // else the notes say that nothing is sealed
	report := tn.Run("first", nil)
	if report.Totals.Users["archived"] != users || len(report.Notes) != 0 {
		t.Errorf("%+v, notes %q", report.Totals.Users, report.Notes)
	}
	records := 0
	for key, object := range tn.Objects() {
		if !strings.HasPrefix(key, archivetest.Prefix+"/subjects/") {
			continue
		}
		folder := strings.Split(key, "/")[4]
		if len(folder) != 18 || !strings.HasPrefix(folder, "t-") {
			t.Errorf("%q stands in no t- folder", key)
		}
		if strings.Contains(key, "/record.") {
			records++
			var record map[string]any
			if err := json.Unmarshal(object.Body, &record); err != nil {
				t.Fatal(err)
			}
			if id, there := record["transaction_id"]; !there || id != nil {
				t.Errorf("the record's transaction_id is %v", id)
			}
		}
	}
	if records != users {
		t.Errorf("%d records, want %d", records, users)
	}
	checkCosts(tn, "first", 1, 6)
	tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
	tn.Run("recheck", nil)
	checkCosts(tn, "recheck", 2, 6)
}

// What is stored under a stand-in stays there when the query gets a column that names
// the transaction: nothing is fetched again, and nothing is lost when it is gone.
func TestStandInIsKept(t *testing.T) {
	t.Parallel()
	const users = 3
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 23, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{All: unnamed}})
	tn.Run("first", nil)
	if err := tn.Sim.Change(func(s *vlenstest.Scenario) { s.All.Row = "" }); err != nil {
		t.Fatal(err)
	}
	tn.LoadUsers()
	tn.Run("noted", nil)
	checkCosts(tn, "the column", 1, 6)
	tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
	if report := tn.Run("recheck", nil); report.Totals.Outcomes["unchanged"] != users || report.Totals.Users["archived"] != users {
		t.Errorf("%+v", report.Totals)
	}
	checkCosts(tn, "recheck", 2, 6)
}

// checkCosts compares what each user has cost so far.
func checkCosts(tn *archivetest.Tenant, when string, lists, images int) {
	tn.T.Helper()
	for user := range tn.Sim.Users() {
		if got := counts(tn, user.ID); got != [2]int{lists, images} {
			tn.T.Errorf("after %s %s has cost %d listings and %d images, want %d and %d", when, user.ID, got[0], got[1], lists, images)
		}
	}
}
