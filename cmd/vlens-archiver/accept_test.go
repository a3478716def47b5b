package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"vlens-archiver/audit/report"
	"vlens-archiver/internal/telemetry/telemetrytest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// lackingSite has a run behind it: of u-000002 and u-000003 an image is none, of
// u-000004 nothing is known to ask by, and u-000005 fails with what may pass.
func lackingSite(t *testing.T) *site {
	t.Helper()
	lacks := vlenstest.Rules{Images: map[vlenstest.Kind]string{vlenstest.Face2: "not_image"}}
	s := newSite(t, vlenstest.Options{People: 6, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000002": lacks, "u-000003": lacks,
		"u-000004": {Row: "no_identifier"},
		"u-000005": {Faults: map[vlenstest.Endpoint]string{vlenstest.List: "error"}},
	}}}).migrated()
	s.run("run").exits(exitUsersFailed)
	return s
}

const because, mona = "asked Vlens, ticket 881", "Mona Adel"

func (s *site) accept(flags ...string) ended {
	s.t.Helper()
	return s.run(append([]string{"accept", "--reason", because, "--actor", mona}, flags...)...)
}

// reportOf is what report says of the users.
func reportOf(s *site) store.ReportUsers {
	s.t.Helper()
	return read[report.Page](s.run("report", "--json").exits(exitDone)).Users
}

func TestAccept(t *testing.T) {
	t.Parallel()
	s := lackingSite(t)
	s.accept("--class", "not_an_image").exits(exitDone).prints("accepted: 2 users").prints("stated in vlens/audit/")
	s.accept("--class", "not_an_image").exits(exitDone).prints("nothing new: 2 users are accepted already")
	s.accept("--user", "u-000004", "--user", "u-000003").exits(exitDone).prints("accepted: 1 users").prints("accepted already: 1")
	s.accept("--class", "gone").exits(exitDone).prints("nothing was written")

	// Everything that counts counts them apart.
	text := s.run("status").exits(exitDone).prints("3 accepted by a person").stdout
	if strings.Contains(text, "not_an_image") || strings.Contains(text, "no_identifier") || !strings.Contains(text, "vendor_error") {
		t.Errorf("failures in status:\n%s", text)
	}
	status := read[statedStatus](s.run("status", "--json").exits(exitDone))
	if status.Users["accepted"] != 3 || status.Users["partial"] != 2 || status.Users["failed"] != 2 || len(status.Failures) != 1 {
		t.Errorf("status: %+v", status)
	}
	if users := reportOf(s); users.Accepted != 3 || users.Open() != 1 {
		t.Errorf("report: %+v", users)
	}
	if n := s.count(`SELECT sum(users) FROM archive.failures`); n != 1 {
		t.Errorf("%d users in archive.failures", n)
	}
	s.run("backfill", "--failed", "--dry-run").exits(exitDone).prints("retry     1 ")

	// Who accepted, when and why.
	s.run("status", "--user", "u-000002").exits(exitDone).prints("by " + mona).prints(because)
	if user := read[statedUser](s.run("status", "--user", "u-000002", "--json").exits(exitDone)); user.Accepted == nil || user.Accepted.Actor != mona ||
		user.Accepted.Reason != because || user.NextDueAt.Before(time.Now().Add(29*24*time.Hour)) {
		t.Errorf("u-000002: %+v", user)
	}
	s.run("accept", "--list").exits(exitDone).prints("u-000004").prints("no_identifier").prints(mona).prints(because)
	if listed := read[[]statedException](s.run("accept", "--list", "--json").exits(exitDone)); len(listed) != 3 || listed[0].UserID == nil || listed[0].Actor != mona {
		t.Errorf("list: %+v", listed)
	}

	// A run asks nothing about them, and a backfill that names one does; the failure
	// is the same, and so the exception holds.
	asked := s.vlens.Requests(vlenstest.List)
	s.run("run").exits(exitDone)
	if now := s.vlens.Requests(vlenstest.List); now != asked {
		t.Errorf("%d listings of accepted users", now-asked)
	}
	s.run("backfill", "--user", "u-000002")
	if user := read[statedUser](s.run("status", "--user", "u-000002", "--json").exits(exitDone)); user.Accepted == nil || user.NextDueAt.Before(time.Now().Add(29*24*time.Hour)) {
		t.Errorf("after another attempt: %+v", user)
	}

	// Withdrawn, it is a failure as before.
	var back struct {
		Act   string `json:"act"`
		Users int    `json:"users"`
	}
	if err := json.Unmarshal([]byte(s.accept("--withdraw", "--user", "u-000003", "--json").exits(exitDone).stdout), &back); err != nil || back.Act != "withdrawn" || back.Users != 1 {
		t.Errorf("%+v, %v", back, err)
	}
	s.run("status").exits(exitDone).prints("2 accepted by a person").prints("not_an_image")
	s.run("verify").exits(exitDone)
}

// Metrics count the accepted apart, and so alerts leave them out.
func TestMetricsOfAcceptedUsers(t *testing.T) {
	t.Parallel()
	collector := telemetrytest.NewCollector(t)
	s := lackingSite(t).pushTo(collector.HTTP)
	s.accept("--class", "not_an_image").exits(exitDone)
	s.start("run").wait().exits(exitDone)
	values := collector.Values()
	for series, want := range map[string]float64{
		"vlens_archiver.archive.users.accepted":               2,
		"vlens_archiver.archive.failures{class=not_an_image}": 0,
		"vlens_archiver.archive.failures{class=vendor_error}": 1,
		"vlens_archiver.archive.users{state=partial}":         2,
	} {
		if got, told := values[series]; !told || got != want {
			t.Errorf("%s is %v (told: %t), want %v", series, got, told, want)
		}
	}
	if age := values["vlens_archiver.archive.oldest_unarchived.age{state=partial}"]; age != 0 {
		t.Errorf("somebody accepted is said to wait for %v s", age)
	}
}

// It ends when the user verifies again, be it with all images or without.
func TestAcceptanceEndsWithAnotherVerification(t *testing.T) {
	t.Parallel()
	s := lackingSite(t)
	s.accept("--class", "not_an_image").exits(exitDone)
	s.accept("--user", "u-000004").exits(exitDone)
	if err := s.vlens.Change(func(scenario *vlenstest.Scenario) {
		scenario.Users["u-000002"] = vlenstest.Rules{Verification: 2}
		rules := scenario.Users["u-000003"]
		rules.Verification = 2
		scenario.Users["u-000003"] = rules
	}); err != nil {
		t.Fatal(err)
	}
	s.inSource(`UPDATE users SET verified_at = now() WHERE id IN ('u-000002', 'u-000003', 'u-000004')`)
	s.run("run").exits(exitUsersFailed)
	for user, state := range map[string]store.State{"u-000002": store.StateArchived, "u-000003": store.StatePartial, "u-000004": store.StateFailed} {
		if now := read[statedUser](s.run("status", "--user", user, "--json").exits(exitDone)); now.Accepted != nil || now.State != state {
			t.Errorf("%s: %+v", user, now)
		}
	}
	if status := read[statedStatus](s.run("status", "--json").exits(exitDone)); status.Users["accepted"] != 0 || len(status.Failures) != 3 {
		t.Errorf("status: %+v", status)
	}
	s.run("accept", "--list").exits(exitDone).prints("nothing is accepted now")
	s.accept("--class", "not_an_image").exits(exitDone).prints("accepted: 1 users")
}

// It outlives a look that Vlens does not answer: what the user lacks is what was
// accepted.
func TestAcceptanceOutlivesALookInVain(t *testing.T) {
	t.Parallel()
	s := lackingSite(t)
	s.accept("--class", "not_an_image").exits(exitDone)
	change := func(faults map[vlenstest.Endpoint]string) {
		t.Helper()
		if err := s.vlens.Change(func(scenario *vlenstest.Scenario) {
			rules := scenario.Users["u-000003"]
			rules.Faults = faults
			scenario.Users["u-000003"] = rules
		}); err != nil {
			t.Fatal(err)
		}
		s.run("backfill", "--user", "u-000003")
	}
	change(map[vlenstest.Endpoint]string{vlenstest.List: "error"})
	s.run("status").exits(exitDone).prints("2 accepted by a person")
	s.run("backfill", "--failed=vendor_error", "--dry-run").exits(exitDone).prints("retry     1 ")
	change(nil)
	s.run("status").exits(exitDone).prints("2 accepted by a person")
}

// The verdict of a report names the accepted, and does not wait for them.
func TestReportOfAcceptedUsers(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 2, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000002": {Images: map[vlenstest.Kind]string{vlenstest.Face2: "not_image"}},
	}}}).migrated()
	s.run("run").exits(exitUsersFailed)
	s.run("report").exits(exitDone).prints("Not complete: ")
	s.accept("--user", "u-000002").exits(exitDone)
	page := s.run("report").exits(exitDone).prints("Complete: every one of").prints("a person has accepted").prints("Nobody else waits or failed").stdout
	if strings.Contains(page, "Not complete") {
		t.Errorf("the report of accepted users:\n%.3000s", page)
	}
}

// What does not fit changes nothing; nor does it repeat what was given.
func TestAcceptRefuses(t *testing.T) {
	t.Parallel()
	s := lackingSite(t)
	s.accept("--user", "u-000002", "--user", "u-000005").exits(exitInvalid).says("at position 2 of the list: failing with vendor_error, which may pass by itself")
	s.accept("--user", "u-000002", "--user", "u-000001").exits(exitInvalid).says("at position 2 of the list: archived")
	unknown := s.accept("--user", "u-999999").exits(exitInvalid).says("1 of the users given").says("unknown to the ledger")
	if strings.Contains(unknown.stderr, "u-999999") {
		t.Errorf("it repeats the id: %s", unknown.stderr)
	}
	s.accept("--withdraw", "--user", "u-000002").exits(exitInvalid).says("without an exception")
	s.accept("--class", "vendor_error").exits(exitInvalid).says("only settled failures can be accepted")
	s.accept("--class", "none").exits(exitInvalid).says("only settled failures can be accepted")
	s.accept().exits(exitInvalid).says("choose users")
	s.accept("--user", "").exits(exitInvalid).says("an id is empty")
	s.accept("--user", "u-000002", "--class", "gone").exits(exitInvalid).says("do not go together")
	s.accept("--list").exits(exitInvalid).says("--list goes with --json only")
	s.run("accept", "--class", "gone", "--actor", mona).exits(exitInvalid).says("--reason: the reason is needed")
	s.run("accept", "--class", "gone", "--reason", because).exits(exitInvalid).says("--actor: the actor is needed")
	s.run("accept", "--class", "gone", "--reason", "asked by someone@example.com", "--actor", mona).exits(exitInvalid).says("looks like an email")
	s.env["SUBJECT_KEY"] = "YW5vdGhlci1rZXktYW5vdGhlci1rZXktYW5vdGhlci1rZXk="
	s.accept("--class", "not_an_image").exits(exitInvalid).says("another archive.subject_key")
	if n := s.count(`SELECT (SELECT count(*) FROM archive.exceptions) + (SELECT count(*) FROM archive.log_waiting WHERE kind = 'statement')`); n != 0 {
		t.Errorf("%d rows were written", n)
	}
}
