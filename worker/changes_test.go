package worker_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// change edits the scenario of the vendor, and the company's table with it.
func change(tn *archivetest.Tenant, edit func(*vlenstest.Scenario)) {
	tn.T.Helper()
	if err := tn.Sim.Change(edit); err != nil {
		tn.T.Fatal(err)
	}
	tn.LoadUsers()
}

// forceAgain is a backfill that fetches everything of u-000001 again.
func forceAgain(tn *archivetest.Tenant, runID string) worker.Report {
	return tn.Run(runID, func(c *worker.Config) {
		c.Run.Kind = store.RunBackfill
		c.Run.Selection = store.Selection{UserIDs: []string{"u-000001"}, Force: true}
	})
}

// namesUnder are the last parts of the keys under subjects/ that contain a text.
func namesUnder(objects map[string]archivetest.Object, text string) []string {
	var names []string
	for key := range objects {
		if archivetest.UnderSubjects(key) && strings.Contains(key, text) {
			names = append(names, key[strings.LastIndex(key, "/")+1:])
		}
	}
	return names
}

// Other bytes under the same reference are stored beside the first and raised;
// fetched once more they are no news.
func TestChangedImageIsKeptBesideTheFirst(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 1, Seed: 7, ImageBytes: 8 << 10})
	tn.Run("first", nil)
	before := tn.Objects()
	change(tn, func(s *vlenstest.Scenario) {
		s.All.Images = map[vlenstest.Kind]string{vlenstest.IDBack: "changed"}
	})

	forceAgain(tn, "second")
	after := tn.Objects()
	for key, object := range before {
		if string(after[key].Body) != string(object.Body) {
			t.Errorf("%q is not what it was", key)
		}
	}
	if names := namesUnder(after, "/id_back."); len(names) != 2 {
		t.Errorf("backs of the card in the bucket: %v, want both", names)
	}
	if got := ends(tn, "second")["u-000001"]; got != "archived conflict 8" { // login, list, six images
		t.Errorf("the user ended as %q", got)
	}
	flagged := archivetest.Query[string](tn, `SELECT kind FROM archive.images WHERE flags = '{conflict}' AND run_id = 'second'`)
	if diff := cmp.Diff([]string{"id_back"}, flagged); diff != "" {
		t.Errorf("images flagged (-want +got):\n%s", diff)
	}
	if names := namesUnder(after, "/record."); len(names) != 2 {
		t.Errorf("records: %v, want a second one that states the conflict", names)
	}
	for key, object := range after {
		if !strings.HasSuffix(key, "/record.0002.json") {
			continue
		}
		var record struct {
			Images []struct {
				Kind, State string
				Flags       []string
			}
		}
		if err := json.Unmarshal(object.Body, &record); err != nil {
			t.Fatal(err)
		}
		backs, conflicts := 0, 0
		for _, image := range record.Images {
			if image.Kind == "id_back" && image.State == "stored" {
				backs++
				conflicts += len(image.Flags)
			}
		}
		if backs != 2 || conflicts != 1 {
			t.Errorf("the record states %d backs, %d in conflict, want 2 and 1:\n%s", backs, conflicts, object.Body)
		}
	}

	forceAgain(tn, "third")
	if got := ends(tn, "third")["u-000001"]; !strings.HasPrefix(got, "unchanged ") {
		t.Errorf("without news the user ended as %q", got)
	}
	if names := namesUnder(tn.Objects(), "/record."); len(names) != 2 {
		t.Errorf("records without news: %v, want 2", names)
	}
}

// A record that somebody wrote over in a bucket that keeps versions is not what
// was recorded: what a later attempt cites is still the first version.
func TestOverwrittenRecordIsNotCited(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 1, Seed: 7, ImageBytes: 8 << 10})
	tn.Run("first", nil)
	for key, object := range tn.Objects() {
		if !strings.Contains(key, "/record.") {
			continue
		}
		if _, err := tn.S3.Client().PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: aws.String(archivetest.BucketName), Key: aws.String(key), Body: strings.NewReader(string(object.Body) + " "),
		}); err != nil {
			t.Fatal(err)
		}
	}
	forceAgain(tn, "second")
	cited := archivetest.Query[string](tn, `SELECT DISTINCT record_sha256 FROM archive.outcomes`)
	recorded := archivetest.Query[string](tn, `SELECT sha256 FROM archive.records`)
	if diff := cmp.Diff(recorded, cited); diff != "" || len(recorded) != 1 {
		t.Errorf("hashes of records cited (-recorded +cited):\n%s", diff)
	}
}

// A user who verifies again has a folder and a record for each verification.
func TestVerifiedAgain(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 2, Seed: 8, ImageBytes: 8 << 10})
	tn.Run("first", nil)
	first, _ := tn.Sim.Expected("u-000001")
	before := tn.Objects()
	change(tn, func(s *vlenstest.Scenario) {
		s.Users = map[string]vlenstest.Rules{"u-000001": {Verification: 2}}
	})
	second, _ := tn.Sim.Expected("u-000001")

	tn.Run("second", nil)
	if got := ends(tn, "second"); len(got) != 1 || got["u-000001"] != "archived 8" {
		t.Errorf("ended as %v, want the one user who verified again", got)
	}
	after := tn.Objects()
	for key, object := range before {
		if string(after[key].Body) != string(object.Body) {
			t.Errorf("%q is not what it was", key)
		}
	}
	for what, transaction := range map[string]string{"first": first.TransactionID, "second": second.TransactionID} {
		if names := namesUnder(after, transaction); len(names) != vlenstest.KindCount+1 {
			t.Errorf("the folder of the %s verification holds %v", what, names)
		}
	}
	if n := tn.Count(`SELECT count(DISTINCT transaction_id) FROM archive.records`); n != 3 {
		t.Errorf("the ledger has records of %d transactions, want 3", n)
	}
}

// A cancelled identity whose references no longer resolve, entirely for one user
// and in part for the other, is stated as gone once the vendor says so in another
// night, and not asked for again then for thirty days.
func TestReferencesThatNoLongerResolve(t *testing.T) {
	t.Parallel()
	gone := make(map[vlenstest.Kind]string)
	for _, kind := range vlenstest.Kinds {
		gone[kind] = "gone"
	}
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 2, Seed: 9, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		Users: map[string]vlenstest.Rules{
			"u-000001": {Images: gone},
			"u-000002": {Images: map[vlenstest.Kind]string{vlenstest.Face3: "gone"}},
		},
	}})
	for _, night := range []struct {
		run      string
		passed   time.Duration // since the run before
		ends     [2]string
		requests int // listings and images
		failures int64
		state    string // of an image that is gone
		records  int
		due      time.Duration
	}{
		{"first", 0, [2]string{"failed gone", "partial gone"}, 2 + 12, 2, "failed", 1, 15 * time.Minute},
		{"soon", 19 * time.Hour, [2]string{"failed gone", "partial gone"}, 2 + 7, 2, "failed", 1, 30 * time.Minute},
		{"second", 2 * time.Hour, [2]string{"failed gone", "partial gone"}, 2 + 7, 2, "gone", 3, 24 * time.Hour},
		{"third", 24 * time.Hour, [2]string{"unchanged gone", "unchanged gone"}, 2, 0, "gone", 3, 2 * 24 * time.Hour},
		{"later", 30 * 24 * time.Hour, [2]string{"unchanged gone", "unchanged gone"}, 2 + 7, 0, "gone", 3, 4 * 24 * time.Hour},
	} {
		tn.Later(night.passed)
		before := tn.Sim.Requests(vlenstest.List, vlenstest.Image)
		report := tn.Run(night.run, nil)
		ended := ends(tn, night.run)
		for n, want := range night.ends {
			if got := ended[fmt.Sprintf("u-00000%d", n+1)]; !strings.HasPrefix(got, want+" ") {
				t.Errorf("%s: user %d ended as %q, want %q", night.run, n+1, got, want)
			}
		}
		if got := tn.Sim.Requests(vlenstest.List, vlenstest.Image) - before; got != night.requests {
			t.Errorf("%s: %d requests, want %d", night.run, got, night.requests)
		}
		if got := report.Totals.Failures[store.ClassGone]; got != night.failures {
			t.Errorf("%s: the summary has %d failures, want %d", night.run, got, night.failures)
		}
		if users := report.Totals.Users; users[store.StateFailed] != 1 || users[store.StatePartial] != 1 {
			t.Errorf("%s: users %v", night.run, users)
		}
		states := archivetest.Query[string](tn, `SELECT DISTINCT state FROM archive.current_images WHERE class = 'gone'`)
		if !slices.Equal(states, []string{night.state}) {
			t.Errorf("%s: images that are gone are %v, want %s", night.run, states, night.state)
		}
		if names := namesUnder(tn.Objects(), "/record."); len(names) != night.records {
			t.Errorf("%s: records %v, want %d", night.run, names, night.records)
		}
		if n := tn.Count(`SELECT count(*) FROM archive.subjects WHERE next_due_at <= now() + $1 * interval '1 second'`, night.due.Seconds()); n != 2 {
			t.Errorf("%s: %d users are due within %s, want both", night.run, n, night.due)
		}
	}
}

// Of two images that settled, the same one stands for both in each night, whichever
// was found out first. One that is asked for again after thirty days and not answered
// stays settled.
func TestOneClassStandsForAll(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 1, Seed: 9, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		Users: map[string]vlenstest.Rules{"u-000001": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "gone", vlenstest.Face1: "not_image"}}},
	}})
	for _, night := range []struct {
		run    string
		passed time.Duration
		want   string
	}{
		{"first", 0, "partial gone"}, // which may pass
		{"second", 25 * time.Hour, "partial not_an_image"},
		{"third", 25 * time.Hour, "unchanged not_an_image"},
		{"asked again", 31 * 24 * time.Hour, "unchanged not_an_image"},
		{"not answered", 31 * 24 * time.Hour, "unchanged not_an_image"},
	} {
		if night.run == "not answered" {
			if err := tn.Sim.Change(func(s *vlenstest.Scenario) {
				s.Users["u-000001"] = vlenstest.Rules{Images: map[vlenstest.Kind]string{vlenstest.IDBack: "error", vlenstest.Face1: "error"}}
			}); err != nil {
				t.Fatal(err)
			}
		}
		tn.Later(night.passed)
		run := strings.ReplaceAll(night.run, " ", "-")
		tn.Run(run, nil)
		if got := ends(tn, run)["u-000001"]; !strings.HasPrefix(got, night.want+" ") {
			t.Errorf("%s: ended as %q, want %q", night.run, got, night.want)
		}
	}
}

// A user who is no longer in the query stays counted, is not worked on, and is
// due again on coming back.
func TestUserLeavesAndComesBack(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 3, Seed: 12, ImageBytes: 8 << 10})
	tn.Run("first", nil)
	tn.ExecSource(`DELETE FROM users WHERE id = 'u-000002'`)
	report := tn.Run("second", nil)
	if totals := report.Totals; totals.UsersLeft != 1 || totals.UsersTotal != 3 || totals.Users[store.StateArchived] != 3 {
		t.Errorf("after one left: %d left of %d, states %v", totals.UsersLeft, totals.UsersTotal, totals.Users)
	}
	tn.LoadUsers()
	report = tn.Run("third", nil)
	if got := ends(tn, "third"); len(got) != 1 || got["u-000002"] != "unchanged 2" { // login, list
		t.Errorf("the user who came back ended as %v", got)
	}
	if report.Totals.UsersLeft != 0 {
		t.Errorf("%d users are left, want none", report.Totals.UsersLeft)
	}
}
