package worker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
)

// Four pairs of rows with one phone each, all in flight at once.
func TestTwoRowsWithOnePhone(t *testing.T) {
	t.Parallel()
	scenario := vlenstest.Scenario{Latency: 300 * time.Millisecond, Users: map[string]vlenstest.Rules{}}
	for n := 2; n <= 8; n += 2 {
		scenario.Users[fmt.Sprintf("u-%06d", n)] = vlenstest.Rules{PhoneOf: fmt.Sprintf("u-%06d", n-1)}
	}
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 8, Seed: 4, ImageBytes: 8 << 10, Scenario: scenario})
	tn.Run("first", nil)
	ended := ends(tn, "first")
	for n := 2; n <= 8; n += 2 {
		owner, other := fmt.Sprintf("u-%06d", n-1), fmt.Sprintf("u-%06d", n)
		pair := []string{ended[owner], ended[other]}
		for i := range pair {
			pair[i] = pair[i][:strings.LastIndex(pair[i], " ")]
		}
		slices.Sort(pair)
		if diff := cmp.Diff([]string{"archived", "failed shared_transaction"}, pair); diff != "" {
			t.Errorf("%s and %s (want, got):\n%s", owner, other, diff)
		}
		if got := counts(tn, owner); got != [2]int{2, 6} {
			t.Errorf("the phone of %s cost %d listings and %d images, want 2 and 6", owner, got[0], got[1])
		}
		if got := counts(tn, other); got != [2]int{} {
			t.Errorf("the vendor's own %s was asked for: %v", other, got)
		}
	}
	t.Logf("%d requests were in flight at once", tn.Sim.InFlightPeak())
}

// A number goes to another customer while the vendor still has the first one's
// images under it.
func TestRecycledNumber(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 2, Seed: 5, ImageBytes: 8 << 10})
	tn.ExecSource(`DELETE FROM users WHERE id = 'u-000002'`)
	tn.Run("first", nil)
	if err := tn.Sim.Change(func(s *vlenstest.Scenario) {
		s.Users = map[string]vlenstest.Rules{"u-000002": {PhoneOf: "u-000001"}}
	}); err != nil {
		t.Fatal(err)
	}
	tn.LoadUsers()
	tn.Run("second", nil)
	if got := ends(tn, "second"); got["u-000002"] != "failed shared_transaction 2" || len(got) != 1 { // with the login
		t.Errorf("the new owner of the number ended as %v", got)
	}
	if got := counts(tn, "u-000001"); got != [2]int{2, 6} {
		t.Errorf("the number cost %d listings and %d images, want 2 and 6", got[0], got[1])
	}

	// Corrected by hand, the row is due at once.
	if err := tn.Sim.Change(func(s *vlenstest.Scenario) { s.Users = nil }); err != nil {
		t.Fatal(err)
	}
	tn.LoadUsers()
	tn.ExecSource(`UPDATE users SET verified_at = now() WHERE id = 'u-000002'`)
	tn.Run("third", nil)
	if got := ends(tn, "third"); got["u-000002"] != "archived 8" || len(got) != 1 {
		t.Errorf("after the correction: %v", got)
	}
	tn.CheckWhole(2)
}

// The same where the vendor names no transaction and serves images by their file
// names.
func TestTwoRowsWithOnePhoneAndNoTransaction(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 2, Seed: 4, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		Latency: 100 * time.Millisecond,
		All:     vlenstest.Rules{References: "names", Row: "no_transaction", Transaction: "optional"},
		Users:   map[string]vlenstest.Rules{"u-000002": {PhoneOf: "u-000001"}},
	}})
	tn.Run("first", nil)
	var ended []string
	for _, how := range ends(tn, "first") {
		ended = append(ended, how[:strings.LastIndex(how, " ")])
	}
	slices.Sort(ended)
	if diff := cmp.Diff([]string{"archived", "failed shared_transaction"}, ended); diff != "" {
		t.Errorf("ended as (-want +got):\n%s", diff)
	}
	if n := tn.Count(`SELECT count(DISTINCT subject) FROM archive.images WHERE state = 'stored'`); n != 1 {
		t.Errorf("the images are filed under %d people", n)
	}
	if got := counts(tn, "u-000001"); got != [2]int{2, 6} {
		t.Errorf("the phone cost %d listings and %d images, want 2 and 6", got[0], got[1])
	}
}
