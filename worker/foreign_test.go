package worker_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// What is not the vendor's own answer says nothing of users and images: nobody is
// "not found", no image is "gone", and the run does not spend the quota on all.
func TestForeignAnswersSayNothingOfUsers(t *testing.T) {
	t.Parallel()
	const users = 60
	for name, c := range map[string]struct {
		rules vlenstest.Rules
		class string
		says  string
	}{
		"listing, empty 404":           {fault(vlenstest.List, "empty_404"), "vendor_error", "there is no such route; check vlens.base_url"},
		"listing, 404 with a page":     {fault(vlenstest.List, "html_404"), "vendor_error", "there is no such route"},
		"listing, 404 with other JSON": {fault(vlenstest.List, "json_404"), "vendor_error", "there is no such route"},
		"listing, 404 with 5000":       {fault(vlenstest.List, "error_404"), "vendor_error", "vendor code 5000"},
		"listing, 403 of a firewall":   {fault(vlenstest.List, "html_403"), "vendor_error", "no answer of Vlens: a firewall, gateway or proxy"},
		"listing, 401 of a proxy":      {fault(vlenstest.List, "html_401"), "vendor_error", "no answer of Vlens but a page"},
		"listing, 407":                 {fault(vlenstest.List, "empty_407"), "vendor_error", "the proxy wants credentials"},
		"listing, redirect":            {fault(vlenstest.List, "redirect"), "vendor_error", "perhaps to a login page"},
		"listing, a page":              {fault(vlenstest.List, "html_200"), "bad_payload", "no answer of Vlens but a page"},
		"listing, nothing":             {fault(vlenstest.List, "empty_200"), "bad_payload", "could not be read"},
		"listing, other names":         {vlenstest.Rules{Listing: "renamed"}, "bad_payload", "could not be read"},
		"listing, null":                {vlenstest.Rules{Listing: "data_null"}, "bad_payload", "could not be read"},
		"images, empty 404":            {fault(vlenstest.Image, "empty_404"), "vendor_error", "there is no such route"},
		"images, 403 of a firewall":    {fault(vlenstest.Image, "empty_403"), "vendor_error", "a firewall, gateway or proxy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 10, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{All: c.rules}})
			p := tn.Process("first", nil)
			defer p.Close()
			report, err := p.Run(t.Context(), t.Context())
			if !errors.Is(err, worker.ErrBreaker) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the run ended with %v, want one that says %q", err, c.says)
			}
			// Twenty, and those who were in flight beside the twentieth.
			ended := tn.Count(`SELECT count(*) FROM archive.outcomes`)
			if failed := tn.Count(`SELECT count(*) FROM archive.outcomes WHERE outcome = 'failed' AND class = $1`, c.class); ended < 20 || ended > 28 || failed != ended {
				t.Errorf("%d users ended, %d of them failed as %s: %+v", ended, failed, c.class, report.Totals.Outcomes)
			}
			if records := tn.Count(`SELECT count(*) FROM archive.records`); records != 0 {
				t.Errorf("%d records state what the vendor never said", records)
			}
			for _, id := range tn.UserIDs() {
				most := 2
				if c.rules.Faults[vlenstest.List] == "empty_200" {
					most = 4
				}
				if lists := tn.Sim.ListRequests(id); lists > most {
					t.Errorf("%s was listed %d times: the second identifier was tried", id, lists)
				}
			}

			// The vendor is itself again.
			if err := tn.Sim.SetScenario(vlenstest.Scenario{Quota: vlenstest.QuotaRules{Preset: "none"}}); err != nil {
				t.Fatal(err)
			}
			tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
			if report := tn.Run("second", nil); report.Totals.Users["archived"] != users {
				t.Errorf("afterwards: %+v", report.Totals.Users)
			}
		})
	}
}

func fault(endpoint vlenstest.Endpoint, word string) vlenstest.Rules {
	return vlenstest.Rules{Faults: map[vlenstest.Endpoint]string{endpoint: word}}
}

// One user whose listing a firewall blocks, or whom the vendor refuses, fails
// alone, be it the first of all.
func TestOneUserIsRefusedTheListing(t *testing.T) {
	t.Parallel()
	const users = 40
	for name, c := range map[string]struct {
		word, end string
		status    int
		body      string
	}{
		"by a firewall":              {end: "failed vendor_error ", status: http.StatusForbidden, body: "<html>Request blocked</html>"},
		"by the vendor":              {end: "failed forbidden ", status: http.StatusForbidden, body: `{"data":null,"error_code":403}`},
		"by the vendor, as token":    {end: "failed unauthorized ", status: http.StatusUnauthorized, body: `{"data":null,"error_code":401}`},
		"by the vendor, silently so": {end: "failed unauthorized ", status: http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 40, ImageBytes: 4 << 10})
			tn.ExecSource(`UPDATE users SET verified_at = '2030-01-01' WHERE id = 'u-000001'`) // first of all
			person, _ := tn.Sim.Person("u-000001")
			tn.VendorURL = archivetest.Gateway(t, tn.VendorURL, func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Query().Get("emailOrPhoneNumber") != person.Phone {
					return false
				}
				w.WriteHeader(c.status)
				_, _ = fmt.Fprint(w, c.body)
				return true
			})
			report := tn.Run("first", nil)
			if report.Totals.Outcomes["archived"] != users-1 || report.Totals.Outcomes["failed"] != 1 {
				t.Errorf("%+v", report.Totals.Outcomes)
			}
			if got := ends(tn, "first")["u-000001"]; !strings.HasPrefix(got, c.end) {
				t.Errorf("the user ended as %s", got)
			}
		})
	}
}

// Two whom the vendor refuses, of two, are not yet everybody.
func TestTwoRefusedUsersAreTheirOwn(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 2, Seed: 44, Scenario: vlenstest.Scenario{Auth: vlenstest.AuthRules{Permission: "missing"}}})
	if report := tn.Run("first", nil); report.Totals.Failures["forbidden"] != 2 {
		t.Errorf("%+v, failures %+v", report.Totals.Outcomes, report.Totals.Failures)
	}
}

// A firewall or gateway that answers everything itself for a while is waited for
// like any other absence: no user fails by it, and the credentials are not called
// refused.
func TestGatewayThatAnswersEverythingIsWaitedFor(t *testing.T) {
	t.Parallel()
	const users = 20
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusFound} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 41, ImageBytes: 4 << 10})
			var seen, logins atomic.Int64
			tn.VendorURL = archivetest.Gateway(t, tn.VendorURL, func(w http.ResponseWriter, r *http.Request) bool {
				if seen.Add(1) <= 30 || logins.Load() >= 4 {
					return false
				}
				if strings.HasSuffix(strings.ToLower(r.URL.Path), "/login") {
					logins.Add(1)
				}
				w.WriteHeader(status)
				_, _ = fmt.Fprint(w, "<html>Request blocked</html>")
				return true
			})
			report := tn.Run("first", nil)
			if report.Totals.Users["archived"] != users {
				t.Errorf("%+v, failures %+v", report.Totals.Users, report.Totals.Failures)
			}
			if tn.Log.Events("service_away") == 0 || !strings.Contains(tn.Log.String(), "this is no answer of Vlens") {
				t.Error("the log does not say what was waited for")
			}
			tn.CheckWhole(users)
		})
	}
}

// A vendor that no longer has those who were archived looks like another tenant:
// the run stops instead of believing it of everybody.
func TestVanishedUsersStopTheRun(t *testing.T) {
	t.Parallel()
	const users = 50
	for name, c := range map[string]struct {
		rules vlenstest.Rules
		says  string
	}{
		"not found": {vlenstest.Rules{User: "unknown"}, "end as not_found"},
		"no images": {vlenstest.Rules{Listing: "empty"}, "end as no_images"},
		"gone":      {vlenstest.Rules{Verification: 2, Image: "gone"}, "end as gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 42, ImageBytes: 4 << 10})
			tn.Run("first", nil)
			if err := tn.Sim.Change(func(s *vlenstest.Scenario) { s.All = c.rules }); err != nil {
				t.Fatal(err)
			}
			tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
			p := tn.Process("second", nil)
			defer p.Close()
			_, err := p.Run(t.Context(), t.Context())
			if !errors.Is(err, worker.ErrBreaker) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "check vlens.tenancy_name") {
				t.Errorf("the run ended with %v", err)
			}
			if ended := len(ends(tn, "second")); ended < 20 || ended > 28 {
				t.Errorf("%d users ended", ended)
			}
		})
	}
}

// A run that finds none of many users says what to check, wherever its end is
// told.
func TestRunThatFindsNobodySaysWhatToCheck(t *testing.T) {
	t.Parallel()
	for users, told := range map[int]bool{19: false, 20: true} {
		t.Run(fmt.Sprint(users), func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 43, Scenario: vlenstest.Scenario{All: vlenstest.Rules{User: "unknown"}}})
			report := tn.Run("first", nil)
			if report.Totals.Outcomes["not_found"] != int64(users) || report.Totals.FoundNobody() != told {
				t.Errorf("%+v", report.Totals.Outcomes)
			}
			for where, notes := range map[string][]string{"report": report.Notes, "summary.json": summaryOf(tn, "first").Notes} {
				if said := strings.Contains(strings.Join(notes, "\n"), "check vlens.tenancy_name"); said != told {
					t.Errorf("%s says %q", where, notes)
				}
			}
		})
	}
}
