package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vlens-archiver/audit/report"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// becomes changes how Vlens treats users, and loads the company's table anew.
func (s *site) becomes(users map[string]vlenstest.Rules) {
	s.t.Helper()
	if err := s.vlens.Change(func(scenario *vlenstest.Scenario) { scenario.Users = users }); err != nil {
		s.t.Fatal(err)
	}
	s.inSource(`DROP TABLE users`)
	s.fillUsers()
}

// later makes everything that the ledger waits for come so much sooner.
func (s *site) later(passed time.Duration) {
	s.t.Helper()
	interval := fmt.Sprintf(`make_interval(secs => %f)`, passed.Seconds())
	s.inLedger(`UPDATE archive.subjects SET next_due_at = next_due_at - ` + interval + `;
		ALTER TABLE archive.images DISABLE TRIGGER insert_only;
		UPDATE archive.images SET found_at = found_at - ` + interval + `;
		ALTER TABLE archive.images ENABLE TRIGGER insert_only`)
}

// asked is how many listings and images Vlens was asked for.
func (s *site) asked() int { return s.vlens.Requests(vlenstest.List, vlenstest.Image) }

// Archived users verify again, and of the new images some are not to be had: that
// shows everywhere, stays visible when it has settled and the nights are quiet
// again, and is over once the images are there.
func TestANewerVerificationThatIsIncompleteShowsEverywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 6}).migrated()
	s.run("run").exits(exitDone)
	s.run("report").exits(exitDone).prints("Complete: all")
	all := map[string]int64{"archived": 6}

	again := func(rules vlenstest.Rules) vlenstest.Rules { rules.Verification = 2; return rules }
	s.becomes(map[string]vlenstest.Rules{
		"u-000002": again(vlenstest.Rules{Image: "gone"}),
		"u-000003": again(vlenstest.Rules{Images: map[vlenstest.Kind]string{vlenstest.IDBack: "not_image"}}),
		"u-000004": again(vlenstest.Rules{}),
	})
	some := map[string]int64{"archived": 4, "failed": 1, "partial": 1}
	gone := map[store.Class]int64{store.ClassGone: 1, store.ClassNotAnImage: 1}
	for _, night := range []struct {
		name     string
		passed   time.Duration
		exit     int
		outcomes map[store.Outcome]int64
		failures map[store.Class]int64 // of the run
		asked    int
	}{
		{"verified again", 0, exitUsersFailed, map[store.Outcome]int64{"archived": 1, "partial": 1, "failed": 1}, gone, 3 + 18},
		{"said again", 25 * time.Hour, exitUsersFailed, map[store.Outcome]int64{"failed": 1, "unchanged": 1}, map[store.Class]int64{store.ClassGone: 1}, 2 + 6},
		{"settled", 49 * time.Hour, exitDone, map[store.Outcome]int64{"unchanged": 2}, nil, 2},
	} {
		s.later(night.passed)
		before := s.asked()
		run := read[statedRun](s.run("run", "--json").exits(night.exit))
		if got := present(run.Outcomes); !sameCounts(got, night.outcomes) {
			t.Errorf("%s: outcomes %v, want %v", night.name, got, night.outcomes)
		}
		if !sameCounts(present(run.Failures), night.failures) {
			t.Errorf("%s: failures of the run %v, want %v", night.name, run.Failures, night.failures)
		}
		if got := s.asked() - before; got != night.asked {
			t.Errorf("%s: %d requests, want %d", night.name, got, night.asked)
		}
		s.stands(night.name, some, gone)
	}

	user := read[statedUser](s.run("status", "--user", "u-000002", "--json").exits(exitDone))
	if user.State != store.StateFailed || user.ArchivedAt == nil || len(user.Verifications) != 2 {
		t.Fatalf("u-000002: %+v", user)
	}
	newest, older := user.Verifications[0], user.Verifications[1]
	if !newest.Newest || newest.Stored != 0 || len(newest.Missing) != 6 || newest.Missing[0].State != store.ImageGone || newest.RecordKey == nil || newest.TriedAt == nil {
		t.Errorf("newest verification: %+v", newest)
	}
	if older.Newest || older.Stored != 6 || len(older.Missing) != 0 || older.RecordKey == nil || *older.TransactionID == *newest.TransactionID {
		t.Errorf("older verification: %+v", older)
	}
	s.run("status", "--user", "u-000003").exits(exitDone).prints("newest").prints("id_back (not_an_image)").prints("record.0001.json")

	// Nothing is asked for again but by a backfill of who failed.
	plan := read[statedPlan](s.run("backfill", "--failed", "--dry-run", "--json").exits(exitDone))
	if plan.DueTotal != 2 {
		t.Errorf("a backfill of failed users has %d users, want 2", plan.DueTotal)
	}
	s.becomes(map[string]vlenstest.Rules{"u-000002": again(vlenstest.Rules{}), "u-000003": again(vlenstest.Rules{}), "u-000004": again(vlenstest.Rules{})})
	run := read[statedRun](s.run("backfill", "--failed=gone", "--json").exits(exitDone))
	if run.Outcomes[store.OutcomeArchived] != 1 || run.Images != 6 {
		t.Errorf("backfill --failed=gone: %v, %d images", run.Outcomes, run.Images)
	}
	s.run("backfill", "--failed").exits(exitDone)
	s.stands("mended", all, nil)
}

// stands compares what the program says of all users, in each place where it says it.
func (s *site) stands(when string, users map[string]int64, failures map[store.Class]int64) {
	s.t.Helper()
	var total, open int64
	for state, n := range users {
		total += n
		if state == "failed" || state == "partial" {
			open += n
		}
	}
	status := read[statedStatus](s.run("status", "--json").exits(exitDone))
	failed := make(map[store.Class]int64)
	for _, line := range status.Failures {
		failed[line.Class] = line.Users
	}
	if !sameCounts(failed, failures) {
		s.t.Errorf("%s: status has failures %v, want %v", when, failed, failures)
	}
	page := read[report.Page](s.run("report", "--json").exits(exitDone))
	standing := make(map[store.Class]int64)
	for _, line := range page.Failures {
		standing[line.Class] = line.Standing
	}
	if !sameCounts(present(standing), failures) {
		s.t.Errorf("%s: the report has failures %v, want %v", when, standing, failures)
	}
	if page.Users.Unexplained != 0 || page.Users.Open() != open {
		s.t.Errorf("%s: the report has %d users unexplained and %d open, want %d open", when, page.Users.Unexplained, page.Users.Open(), open)
	}
	verdict := "Complete: all"
	if open > 0 {
		verdict = "Not complete: "
	}
	s.run("report").exits(exitDone).prints(verdict)
	for _, state := range store.States {
		want := users[string(state)]
		view := s.count(fmt.Sprintf(`SELECT coalesce(sum(users), 0)::bigint FROM archive.coverage WHERE state = '%s'`, state))
		if status.Users[string(state)] != want || page.Users.States[state] != want || view != want {
			s.t.Errorf("%s: %s: status %d, report %d, view %d, want %d", when, state, status.Users[string(state)], page.Users.States[state], view, want)
		}
	}
	if status.Users["total"] != total || status.Coverage != float64(users["archived"])/float64(total) {
		s.t.Errorf("%s: %d users, coverage %f", when, status.Users["total"], status.Coverage)
	}
	for class, want := range failures {
		if got := s.count(fmt.Sprintf(`SELECT users FROM archive.failures WHERE class = '%s'`, class)); got != want {
			s.t.Errorf("%s: the view has %d of %s, want %d", when, got, class, want)
		}
	}
}

func present[K comparable](counts map[K]int64) map[K]int64 {
	some := make(map[K]int64)
	for key, n := range counts {
		if n != 0 {
			some[key] = n
		}
	}
	return some
}

func sameCounts[K comparable](a, b map[K]int64) bool {
	if len(a) != len(b) {
		return false
	}
	for key, n := range a {
		if b[key] != n {
			return false
		}
	}
	return true
}

// Who is archived does not become due because the user query got more columns.
func TestColumnsAddedToTheUserQuery(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 8}).migrated()
	s.queries("SELECT id, email, phone FROM users")
	s.run("run").exits(exitDone)
	before := s.asked()
	for _, columns := range []string{"verified_at", "verified_at, transaction_id"} {
		s.queries("SELECT id, email, phone, " + columns + " FROM users")
		if plan := read[statedPlan](s.run("plan", "--json").exits(exitDone)); plan.DueTotal != 0 || plan.Changed != 0 {
			t.Errorf("plan with %s: %+v", columns, plan)
		}
		s.run("run").exits(exitDone)
	}
	if got := s.asked() - before; got != 0 {
		t.Errorf("%d requests were spent", got)
	}
	if n := s.count(`SELECT count(*) FROM archive.subjects WHERE verified_at IS NOT NULL AND transaction_id IS NOT NULL`); n != 8 {
		t.Errorf("the new columns are noted of %d users, want 8", n)
	}
}

// The same phone under a new user id: nobody can know whether it is the same
// person, so nothing is filed anew; whose the verification is can be seen.
func TestRegisteredAnewUnderTheSamePhone(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 3}).migrated()
	s.run("run").exits(exitDone)
	s.inSource(`UPDATE users SET id = 'new-' || id`)
	run := read[statedRun](s.run("run", "--json").exits(exitUsersFailed))
	if run.Failures[store.ClassSharedTransaction] != 3 {
		t.Errorf("failures: %v", run.Failures)
	}
	s.run("status", "--user", "new-u-000002").exits(exitDone).
		prints("already archived under another user").prints(", user u-000002, who left the source at ")
	user := read[statedUser](s.run("status", "--user", "new-u-000002", "--json").exits(exitDone))
	if user.Holder == nil || user.Holder.UserID != "u-000002" || user.Holder.LeftAt == nil || user.NextDueAt == nil {
		t.Errorf("new-u-000002: %+v, held by %+v", user, user.Holder)
	}

	s.later(25 * time.Hour)
	if plan := read[statedPlan](s.run("plan", "--json").exits(exitDone)); plan.DueTotal != 3 || plan.Requests != 3 {
		t.Errorf("plan: %+v", plan)
	}
	before := s.asked()
	if run = read[statedRun](s.run("run", "--json").exits(exitDone)); run.Outcomes[store.OutcomeUnchanged] != 3 {
		t.Errorf("the next night: %v", run.Outcomes)
	}
	if got := s.asked() - before; got != 3 {
		t.Errorf("the next night spent %d requests, want a listing each", got)
	}
	s.stands("settled", map[string]int64{"archived": 3, "failed": 3}, map[store.Class]int64{store.ClassSharedTransaction: 3})
}

// A user who was archived and whom Vlens no longer lists stays archived, and is
// counted apart until Vlens lists the user again.
func TestNoLongerListed(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 3}).migrated()
	s.run("run").exits(exitDone)
	listed := func(n int64) {
		t.Helper()
		status := read[statedStatus](s.run("status", "--json").exits(exitDone))
		page := read[report.Page](s.run("report", "--json").exits(exitDone))
		if status.Users["unlisted"] != n || page.Users.Unlisted != n || status.Users["archived"] != 3 {
			t.Errorf("status has %d no longer listed of %v, the report %d, want %d", status.Users["unlisted"], status.Users, page.Users.Unlisted, n)
		}
	}
	listed(0)
	s.becomes(map[string]vlenstest.Rules{"u-000001": {User: "unknown"}, "u-000002": {Listing: "empty"}})
	s.later(200 * 24 * time.Hour)
	run := read[statedRun](s.run("run", "--json").exits(exitDone))
	if run.Outcomes[store.OutcomeNotFound] != 1 || run.Outcomes[store.OutcomeNoImages] != 1 || run.Users["unlisted"] != 2 {
		t.Errorf("outcomes %v, users %v", run.Outcomes, run.Users)
	}
	listed(2)
	s.run("status").exits(exitDone).prints("2 of whom something is stored are no longer listed by Vlens")
	s.run("report").exits(exitDone).prints("no longer listed by Vlens")
	if text := s.run("status", "--user", "u-000001").exits(exitDone).stdout; !strings.Contains(text, "Vlens no longer lists the user, since ") {
		t.Errorf("status of the user:\n%s", text)
	}
	s.becomes(nil)
	s.later(24 * time.Hour)
	s.run("run").exits(exitDone)
	listed(0)
}
