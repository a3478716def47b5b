package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

func TestRunArchivesOnceAndThenFindsNothingToDo(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 12})
	s.run("run").exits(exitInvalid).says("migrate up")
	s.migrated()

	plan := read[statedPlan](s.run("plan", "--json").exits(exitDone))
	if plan.DueTotal != 12 || plan.Due[store.DueNew] != 12 || plan.Requests != 12*7 || plan.FinishAt != nil {
		t.Errorf("plan before the first run: %+v", plan)
	}
	if n := s.vlens.Requests(); n != 0 {
		t.Errorf("plan sent %d requests to Vlens", n)
	}

	first := read[statedRun](s.run("run", "--json").exits(exitDone))
	if !first.Closed || first.AlreadyComplete || first.WorkLeft || first.Stopped != nil || first.EndedAt == nil {
		t.Errorf("first run: %+v", first)
	}
	if first.Kind != store.RunManual || first.Status != store.RunClosed || first.Outcomes[store.OutcomeArchived] != 12 || first.Images != 72 {
		t.Errorf("first run: %+v", first.Summary)
	}
	if list, images := s.vlens.Requests(vlenstest.List), s.vlens.Requests(vlenstest.Image); list != 12 || images != 72 {
		t.Errorf("first run: %d listings and %d images asked for, want 12 and 72", list, images)
	}

	second := read[statedRun](s.run("run", "--json").exits(exitDone))
	if !second.Closed || second.Images != 0 || second.Users["archived"] != 12 {
		t.Errorf("second run: %+v", second)
	}
	if list, images := s.vlens.Requests(vlenstest.List), s.vlens.Requests(vlenstest.Image); list != 12 || images != 72 {
		t.Errorf("second run: %d listings and %d images asked for in all, want still 12 and 72", list, images)
	}

	s.run("run").exits(exitDone).prints("0 images").prints("12 users: archived 12")
	s.run("run", "--dry-run").exits(exitDone).prints("12 users in the source")
}

func TestJoiningAClosedRun(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 3}).migrated()
	first := read[statedRun](s.run("run", "--run-id", "nightly-1", "--json").exits(exitDone))
	if first.Kind != store.RunScheduled || !first.Closed {
		t.Errorf("first: %+v", first)
	}
	joined := read[statedRun](s.run("run", "--run-id", "nightly-1", "--json").exits(exitDone))
	if !joined.AlreadyComplete || joined.Closed || joined.Outcomes[store.OutcomeArchived] != 3 {
		t.Errorf("joined: %+v", joined)
	}
	s.run("run", "--run-id", "nightly-1").exits(exitDone).prints("before this process came")
	s.run("run", "--run-id", "nightly-1", "--limit", "2").exits(exitDone).prints("before this process came")
	s.run("backfill", "--run-id", "nightly-1", "--user", "u-000001").exits(exitInvalid).says("run exists with another selection")
}

func TestUsersThatFailed(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 4, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000002": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "not_image"}},
		"u-000003": {Row: "no_identifier"},
	}}}).migrated()

	e := s.run("run", "--json").exits(exitUsersFailed).says("2 users failed or are partial").says("vlens-archiver status")
	first := read[statedRun](e)
	if first.Outcomes[store.OutcomePartial] != 1 || first.Outcomes[store.OutcomeFailed] != 1 || first.Failures[store.ClassNotAnImage] != 1 {
		t.Errorf("first run: %+v", first.Summary)
	}
	s.run("run", "--run-id", first.RunID, "--json").exits(exitInvalid).says("scheduled")

	status := read[statedStatus](s.run("status", "--json").exits(exitDone))
	if len(status.Failures) != 2 || len(status.Runs) != 1 || status.Coverage != 0.5 {
		t.Errorf("status: %+v", status)
	}
	s.run("status").exits(exitDone).prints("coverage 50.0 %").prints("no_identifier").prints("correct the user's row")
	s.run("status", "--user", "u-000002").exits(exitDone).
		prints("what Vlens sent is not an image").prints("report it to Vlens")
	user := read[statedUser](s.run("status", "--user", "u-000003", "--json").exits(exitDone))
	if user.State != store.StateFailed || user.Class != store.ClassNoIdentifier || user.NextDueAt == nil || len(user.Outcomes) != 1 {
		t.Errorf("u-000003: %+v", user)
	}
	s.run("status", "--user", "u-999999").exits(exitInvalid).says("the ledger knows no user with this id")
	// A failure that lasts is not tried again by itself, and is no news.
	s.run("run").exits(exitDone)
}

// The tables say what the ledger does: everybody who failed is tried again, soon
// when the failure may pass, else slowly.
func TestWhoIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 4, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000002": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "not_image"}},
		"u-000003": {Row: "no_identifier"},
		"u-000004": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "error"}},
	}}}).migrated()
	run := s.run("run").exits(exitUsersFailed)
	status := s.run("status").exits(exitDone)
	lines := make(map[store.Class]statedFailure)
	for _, line := range read[statedStatus](s.run("status", "--json").exits(exitDone)).Failures {
		lines[line.Class] = line
	}
	for class, again := range map[store.Class]string{"no_identifier": "slowly", "not_an_image": "slowly", "vendor_error": "soon"} {
		for what, text := range map[string]string{"run": run.stdout, "status": status.stdout} {
			if cell := tableCell(text, string(class), "TRIED AGAIN"); cell != again {
				t.Errorf("%s: %s is tried again: %q, want %q\n%s", what, class, cell, again, text)
			}
		}
		if line := lines[class]; line.Users != 1 || line.Settled != (again == "slowly") {
			t.Errorf("status --json: %s: %+v", class, line)
		}
	}
	for id, want := range map[string]time.Duration{"u-000002": 24 * time.Hour, "u-000003": 24 * time.Hour, "u-000004": 15 * time.Minute} {
		user := read[statedUser](s.run("status", "--user", id, "--json").exits(exitDone))
		if user.NextDueAt == nil || time.Until(*user.NextDueAt).Round(5*time.Minute) != want {
			t.Errorf("%s is due again at %v, want in %s", id, user.NextDueAt, want)
		}
	}
}

// tableCell is what stands in a column of the table, in the row that begins so.
func tableCell(text, row, column string) string {
	var from int
	for line := range strings.Lines(text) {
		if n := strings.Index(line, column); n >= 0 {
			from = n
		}
		if fields := strings.Fields(line); from > 0 && len(fields) > 0 && fields[0] == row && len(line) > from {
			cell, _, _ := strings.Cut(line[from:], "  ")
			return cell
		}
	}
	return ""
}

func TestPermissionAndCredentials(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 3, Scenario: vlenstest.Scenario{Auth: vlenstest.AuthRules{Permission: "missing"}}}).migrated()
	s.run("run").exits(exitDenied).says(`"Requests" permission`).says("vlens.username")

	s.env["VLENS_PASSWORD"] = "wrong"
	s.run("run").exits(exitDenied).says("check vlens.api_key")
	if n := s.vlens.Requests(vlenstest.Image); n != 0 {
		t.Errorf("%d images asked for without permission", n)
	}
}

func TestConfigurationThatDoesNotFit(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 3}).migrated()

	s.env["S3_BUCKET"] = "elsewhere"
	s.run("run").exits(exitInvalid).says("elsewhere")
	s.env["S3_BUCKET"] = "archive"
	s.run("run", "--limit", "1").exits(exitDone)

	s.env["SUBJECT_KEY"] = "YW5vdGhlci1rZXktYW5vdGhlci1rZXktYW5vdGhlci1rZXk="
	s.run("run").exits(exitInvalid).says("another archive.subject_key").says("next:")
	s.run("plan").exits(exitInvalid).says("another archive.subject_key")
	s.env["SUBJECT_KEY"] = siteKey

	s.inSource(`ALTER TABLE users RENAME COLUMN phone TO mobile`)
	s.run("run").exits(exitInvalid).says("source.users_sql")
	s.run("plan").exits(exitInvalid)
}

func TestWorkLeft(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 6}).migrated()
	first := read[statedRun](s.run("run", "--limit", "2", "--json").exits(exitDone))
	if first.Outcomes[store.OutcomeArchived] != 2 || !first.WorkLeft || first.DueLeft != 4 || !first.Closed || first.Stopped == nil || *first.Stopped != "limit" {
		t.Errorf("limited run: %+v", first)
	}
	s.run("run", "--limit", "2", "--strict").exits(exitWorkLeft).says("2 users are still due").
		prints("closed, this process has archived as many users as --limit allows; 2 users are still due")

	// A run that is closed is complete, whoever is due by now.
	s.run("run", "--run-id", "small", "--limit", "1").exits(exitDone)
	if again := read[statedRun](s.run("run", "--run-id", "small", "--limit", "1", "--strict", "--json").exits(exitDone)); !again.AlreadyComplete {
		t.Errorf("joining a closed run: %+v", again)
	}

	boxed := read[statedRun](s.run("run", "--max-duration", "1ns", "--json").exits(exitDone))
	if boxed.Stopped == nil || *boxed.Stopped != "time_box" || !boxed.WorkLeft {
		t.Errorf("time-boxed run: %+v", boxed)
	}
	s.run("run", "--max-duration", "1ns", "--strict").exits(exitWorkLeft)
	s.run("run", "--strict").exits(exitDone)
}

func TestMissingUsersAreHeld(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 30}).migrated()
	s.run("run").exits(exitDone)
	s.inSource(`DELETE FROM users WHERE id > 'u-000005'`)
	s.run("run").exits(exitFailed).says("25 users would be marked as left").says("--accept-left").prints("30 users: archived 30")
	s.run("plan").exits(exitDone).prints("25 users are missing from the source")
	s.run("run", "--accept-left").exits(exitDone).prints("25 of them left the source")
}

func TestQuotaIsObeyedAndShown(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 1}).migrated()
	s.env["PER_SECOND"], s.env["PER_MINUTE"] = "20", "300"
	plan := read[statedPlan](s.run("plan", "--json").exits(exitDone))
	if plan.Seconds == nil || *plan.Seconds != 1 || plan.FinishAt == nil {
		t.Errorf("plan: %+v", plan)
	}
	s.run("run").exits(exitDone)
	status := read[statedStatus](s.run("status", "--json").exits(exitDone))
	if status.Quota.PerMinute != 300 || status.Quota.MinuteUsed != s.vlens.Requests() {
		t.Errorf("quota after %d requests: %+v", s.vlens.Requests(), status.Quota)
	}
	s.run("status").exits(exitDone).prints(fmt.Sprintf("quota: %d of 300 requests in the minute", s.vlens.Requests()))
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 1})
	for _, step := range read[[]statedStep](s.run("migrate", "status", "--json").exits(exitDone)) {
		if step.AppliedAt != nil {
			t.Errorf("step %d is applied in an empty database", step.Version)
		}
	}
	up := read[[]statedStep](s.run("migrate", "up", "--json").exits(exitDone))
	for _, step := range up {
		if step.AppliedAt == nil {
			t.Errorf("step %d is not applied after up", step.Version)
		}
	}
	s.run("migrate", "down").exits(exitDone).prints("STEP").prints("  -")
	s.run("plan").exits(exitInvalid).says("migrate up")
	s.run("migrate", "up").exits(exitDone)
	s.run("plan").exits(exitDone)
}

func TestStatusSaysHowTheLogStands(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 2}).migrated()
	s.run("status").exits(exitDone).prints("log: not sealed; there is no signing key: evidence.signing_key is empty")
	s.run("run").exits(exitDone)
	s.run("status").exits(exitDone).prints("log: not sealed; 3 entries wait; there is no signing key")
	if log := read[statedStatus](s.run("status", "--json").exits(exitDone)).Log; log != (statedLog{Waiting: 3}) {
		t.Errorf("unsealed: %+v", log)
	}

	pair := read[keyPair](s.run("keygen", "--origin", "vlens-archive/"+vlenstest.DefaultTenancy, "--json").exits(exitDone))
	s.env["SIGNING_KEY"] = pair.SigningKey
	s.configure("evidence: {signing_key: \"${SIGNING_KEY}\"}\n")
	s.run("status").exits(exitDone).prints("log: nothing is sealed yet; 3 entries wait\n")
	run := read[statedRun](s.run("run", "--json").exits(exitDone))
	log := read[statedStatus](s.run("status", "--json").exits(exitDone)).Log
	if log.Size != 4 || run.Log == nil || log.Root == "" || log.Waiting != 0 || log.SealedAt == nil || !log.SigningKey {
		t.Errorf("sealed: %+v, the run says %+v", log, run.Log)
	}
	s.run("status").exits(exitDone).prints("log: 4 entries under the checkpoint signed " + instant(*log.SealedAt))
}
