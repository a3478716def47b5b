package worker_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// ends are how the users of a run ended: "OUTCOME CLASS REQUESTS" by user.
func ends(tn *archivetest.Tenant, runID string) map[string]string {
	return archivetest.Index(archivetest.Query[string](tn, `
		SELECT concat_ws(' ', user_id, outcome, nullif(class, ''), requests) FROM archive.outcomes WHERE run_id = $1`, runID))
}

// runWith is a run whose client has another configuration.
func runWith(tn *archivetest.Tenant, runID string, vendor func(*vlens.Config), change func(*worker.Config)) (worker.Report, error) {
	tn.T.Helper()
	p := tn.Process(runID, change)
	defer p.Close()
	client, err := archivetest.VendorClient(tn.VendorURL, vendor)
	if err != nil {
		tn.T.Fatal(err)
	}
	defer client.CloseIdleConnections()
	p.Vendor = client
	return p.Run(tn.T.Context(), tn.T.Context())
}

func wantFault(t *testing.T, err error, endpoint vlens.Endpoint, fault vlens.Fault) {
	t.Helper()
	e, ok := errors.AsType[*vlens.Error](err)
	if !ok || e.Endpoint != endpoint || e.Fault != fault {
		t.Errorf("the run ended with %v, want %s at %s", err, fault, endpoint)
	}
}

// counts are the requests of a user as the simulator saw them.
func counts(tn *archivetest.Tenant, id string) [2]int {
	return [2]int{tn.Sim.ListRequests(id), tn.Sim.ImageRequests(id)}
}

// nobody is a phone that no person of the simulator has: its numbers begin with
// another operator's prefix.
const nobody = "+201910000000"

func TestSecondIdentifier(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 2, Seed: 3, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		Users: map[string]vlenstest.Rules{"u-000002": {User: "unknown"}},
	}})
	tn.ExecSource(`UPDATE users SET phone = $1 WHERE id = 'u-000001'`, nobody)
	tn.Run("first", nil)
	ended := ends(tn, "first")
	if !strings.HasPrefix(ended["u-000001"], "archived ") || !strings.HasPrefix(ended["u-000002"], "not_found ") {
		t.Errorf("ended as %v", ended)
	}
	if got := tn.Sim.Requests(vlenstest.List); got != 4 {
		t.Errorf("%d listings, want two for each user", got)
	}
	for key, object := range tn.Objects() {
		if strings.Contains(key, "/record.") && !strings.Contains(string(object.Body), `"identifier":"email"`) &&
			!strings.Contains(string(object.Body), `"identifier": "email"`) {
			t.Errorf("the record does not say that the email was asked for: %s", object.Body)
		}
	}
}

// An error that nobody has given a meaning to may be anything: asking by the
// email might then file another person's images.
func TestNoSecondIdentifierAfterAnUnknownError(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 1, Scenario: vlenstest.Scenario{All: vlenstest.Rules{Errors: "ok"}}})
	tn.ExecSource(`UPDATE users SET phone = $1`, nobody)
	if _, err := runWith(tn, "first", func(c *vlens.Config) { c.Codes = vlens.Codes{} }, nil); err != nil {
		t.Fatal(err)
	}
	if got := ends(tn, "first")["u-000001"]; got != "failed vendor_error 3" { // with the login
		t.Errorf("ended as %s", got)
	}
	if got := tn.Sim.ListRequests("u-000001"); got != 0 {
		t.Errorf("the user was asked for by the email %d times", got)
	}
}

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

// checkCosts compares what each user has cost so far.
func checkCosts(tn *archivetest.Tenant, when string, lists, images int) {
	tn.T.Helper()
	for user := range tn.Sim.Users() {
		if got := counts(tn, user.ID); got != [2]int{lists, images} {
			tn.T.Errorf("after %s %s has cost %d listings and %d images, want %d and %d", when, user.ID, got[0], got[1], lists, images)
		}
	}
}

func TestSameUnknownErrorStopsTheRun(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 60, Seed: 8, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		All: vlenstest.Rules{Faults: map[vlenstest.Endpoint]string{vlenstest.List: "error"}},
	}})
	p := tn.Process("first", nil)
	defer p.Close()
	_, err := p.Run(t.Context(), t.Context())
	if !errors.Is(err, worker.ErrBreaker) || !strings.Contains(err.Error(), "code 5000") {
		t.Errorf("the run ended with %v", err)
	}
	// Twenty, and those who were in flight beside the twentieth.
	ended := len(ends(tn, "first"))
	if asked := tn.Sim.Requests(vlenstest.List); ended < 20 || ended > 28 || asked > 2*28 {
		t.Errorf("%d users ended and %d listings were asked for", ended, asked)
	}

	// When every other user is well, the error is theirs alone.
	if err := tn.Sim.Change(func(s *vlenstest.Scenario) {
		healthy := vlenstest.Rules{Faults: map[vlenstest.Endpoint]string{vlenstest.List: "slow_headers"}}
		s.Delay = time.Millisecond
		s.Users = map[string]vlenstest.Rules{}
		for n := 1; n <= 60; n += 2 {
			s.Users[fmt.Sprintf("u-%06d", n)] = healthy
		}
	}); err != nil {
		t.Fatal(err)
	}
	tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
	report := tn.Run("second", nil)
	if report.Totals.Outcomes["archived"] != 30 || report.Totals.Outcomes["failed"] != 30 {
		t.Errorf("interleaved: %+v", report.Totals.Outcomes)
	}
}

// When one kind of image fails for everybody, the others are still worth their
// requests.
func TestPartialUsersDoNotStopTheRun(t *testing.T) {
	t.Parallel()
	const users = 30
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 18, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		All: vlenstest.Rules{Images: map[vlenstest.Kind]string{vlenstest.Face3: "empty"}},
	}})
	if report := tn.Run("first", nil); report.Totals.Outcomes["partial"] != users {
		t.Errorf("%+v", report.Totals.Outcomes)
	}
}

// A user who alone is told that there were too many requests fails alone.
func TestOneUserIsThrottledForEver(t *testing.T) {
	t.Parallel()
	const users = 40
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 23, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		Latency: 100 * time.Millisecond,
		Quota:   vlenstest.QuotaRules{Preset: "none", Reply: "429_seconds", RetryAfter: time.Second},
		Users:   map[string]vlenstest.Rules{"u-000001": {Faults: map[vlenstest.Endpoint]string{vlenstest.List: "throttled"}}},
	}})
	tn.ExecSource(`UPDATE users SET verified_at = '2030-01-01' WHERE id = 'u-000001'`) // first of all
	report := tn.Run("first", func(c *worker.Config) { c.Concurrency = 2 })
	if report.Totals.Users["archived"] != users-1 {
		t.Errorf("%+v", report.Totals.Users)
	}
	if got := ends(tn, "first")["u-000001"]; !strings.HasPrefix(got, "failed throttled ") {
		t.Errorf("the user ended as %s", got)
	}
	// Four in a row, and others answered between each two; without the latter it
	// would be eight, and an absence of Vlens.
	if got := tn.Sim.ListRequests("u-000001"); got < 4 || got > 8 {
		t.Errorf("the user was asked for %d times", got)
	}
}

func TestOneUserFailsAlone(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 12, Seed: 9, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		Users: map[string]vlenstest.Rules{
			"u-000003": {Faults: map[vlenstest.Endpoint]string{vlenstest.List: "error"}},
			"u-000004": {Faults: map[vlenstest.Endpoint]string{vlenstest.Image: "error"}},
			"u-000005": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "truncated"}},
			"u-000006": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "not_image"}},
			"u-000007": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "large"}},
			"u-000008": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "gone"}},
			"u-000009": {Images: map[vlenstest.Kind]string{vlenstest.Face1: "absent", vlenstest.Face2: "absent", vlenstest.Face3: "absent"}},
			"u-000010": {Listing: "empty"},
		},
	}})
	// The simulator forbids all images or none.
	forbidden, _ := tn.Sim.Person("u-000011")
	tn.VendorURL = forbidding(t, tn.VendorURL, func(r *http.Request) bool {
		return r.URL.Query().Get("FileName") == forbidden.FileName(vlenstest.IDBack)
	})
	if _, err := runWith(tn, "first", func(c *vlens.Config) { c.MaxImageBytes = 1 << 20 }, nil); err != nil {
		t.Fatal(err)
	}

	got := ends(tn, "first")
	for id, want := range map[string]struct {
		end    string
		counts [2]int // listings and images, as the vendor counts them
	}{
		"u-000001": {"archived", [2]int{1, 6}},
		"u-000002": {"archived", [2]int{1, 6}},
		"u-000003": {"failed vendor_error", [2]int{2, 0}},
		"u-000004": {"failed vendor_error", [2]int{1, 12}},
		"u-000005": {"archived", [2]int{1, 7}}, // one refetch
		"u-000006": {"partial not_an_image", [2]int{1, 6}},
		"u-000007": {"partial too_large", [2]int{1, 6}},
		"u-000008": {"partial gone", [2]int{1, 6}},
		"u-000009": {"archived", [2]int{1, 3}},
		"u-000010": {"no_images", [2]int{1, 0}},
		"u-000011": {"partial forbidden", [2]int{1, 5}},
		"u-000012": {"archived", [2]int{1, 6}},
	} {
		if end := got[id]; !strings.HasPrefix(end, want.end+" ") {
			t.Errorf("%s ended as %s, want %s", id, end, want.end)
		}
		if got := counts(tn, id); got != want.counts {
			t.Errorf("%s cost %d listings and %d images, want %v", id, got[0], got[1], want.counts)
		}
	}
	if got := tn.Sim.Requests(vlenstest.Login); got > 2 {
		t.Errorf("%d logins, want one and one for the forbidden image", got)
	}
	checkImages(tn)

	// Those who ended well and those for whom asking again is in vain are not due.
	before := tn.Sim.Requests()
	tn.Run("second", nil)
	if spent := tn.Sim.Requests() - before; spent != 0 {
		t.Errorf("a second run spent %d requests", spent)
	}
}

// checkImages compares the states of the second image of the awkward users with
// what stands in the bucket.
func checkImages(tn *archivetest.Tenant) {
	tn.T.Helper()
	states := archivetest.Index(archivetest.Query[string](tn, `
		SELECT concat_ws(' ', s.user_id, i.state, nullif(i.class, ''), nullif(array_to_string(i.flags, ','), ''))
		FROM archive.images AS i JOIN archive.subjects AS s ON s.subject = i.subject WHERE i.kind = 'id_back'`))
	objects := tn.Objects()
	for id, want := range map[string]struct {
		state  string
		stored int
	}{
		"u-000005": {"stored truncated", 6},
		"u-000006": {"rejected not_an_image", 5},
		"u-000007": {"rejected too_large", 5},
		"u-000008": {"gone gone", 5},
		"u-000009": {"stored", 3},
		"u-000011": {"failed forbidden", 5},
	} {
		if states[id] != want.state {
			tn.T.Errorf("the image of %s is %q, want %q", id, states[id], want.state)
		}
		stored := 0
		for key := range objects {
			if strings.Contains(key, archivetest.SubjectOf(id)) && !strings.HasSuffix(key, ".json") {
				stored++
			}
		}
		if stored != want.stored {
			tn.T.Errorf("%d images of %s stand in the bucket, want %d", stored, id, want.stored)
		}
	}
}

// forbidding is a gateway before the vendor that answers some requests with 403.
func forbidding(t *testing.T, vendor string, forbids func(*http.Request) bool) string {
	t.Helper()
	return archivetest.Gateway(t, vendor, func(w http.ResponseWriter, r *http.Request) bool {
		if !forbids(r) {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	})
}
