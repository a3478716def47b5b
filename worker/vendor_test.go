package worker_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

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

// What a code means of an image is not said of a listing: that may pass.
func TestGoneListing(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 2, Seed: 9, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		Users: map[string]vlenstest.Rules{"u-000001": {Faults: map[vlenstest.Endpoint]string{vlenstest.List: "error"}}},
	}})
	if _, err := runWith(tn, "first", func(c *vlens.Config) { c.Codes.Gone = []int{5000} }, nil); err != nil {
		t.Fatal(err)
	}
	if got := ends(tn, "first")["u-000001"]; !strings.HasPrefix(got, "failed vendor_error ") {
		t.Errorf("ended as %q", got)
	}
	if n := tn.Count(`SELECT count(*) FROM archive.failures WHERE class = 'vendor_error' AND lasting = 'transient'`); n != 1 {
		t.Errorf("%d rows of failures that may pass", n)
	}
}

// counts are the requests of a user as the simulator saw them.
func counts(tn *archivetest.Tenant, id string) [2]int {
	return [2]int{tn.Sim.ListRequests(id), tn.Sim.ImageRequests(id)}
}

// nobody is a phone that no person of the simulator has: its numbers begin with
// another operator's prefix.
const nobody = "+201910000000"

// forbidding answers some requests in the vendor's place, with its 403.
func forbidding(t *testing.T, vendor string, forbids func(*http.Request) bool) string {
	t.Helper()
	return archivetest.Gateway(t, vendor, func(w http.ResponseWriter, r *http.Request) bool {
		if !forbids(r) {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"data":null,"error_code":403}`)
		return true
	})
}

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
