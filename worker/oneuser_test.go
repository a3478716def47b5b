package worker_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

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
	// Five in a row; then a login was answered, so that Vlens is there for others.
	if got := tn.Sim.ListRequests("u-000001"); got != 5 {
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
		"u-000008": {"failed gone", 5}, // until it is said again
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
