package main

import (
	"strings"
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

func TestBackfillOfChosenUsers(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 5}).migrated()
	list := "\ufeffu-000001\r\n\n  u-000002  \nu-000001\n"
	planned := read[statedPlan](s.runWith(list, "backfill", "--users-file", "-", "--dry-run", "--json").exits(exitDone))
	if planned.DueTotal != 2 {
		t.Errorf("plan of a list of two users: %+v", planned)
	}

	first := read[statedRun](s.runWith(list, "backfill", "--users-file", "-", "--json").exits(exitDone))
	if first.Kind != store.RunBackfill || first.Outcomes[store.OutcomeArchived] != 2 || first.Users["pending"] != 3 {
		t.Errorf("backfill: %+v", first.Summary)
	}

	again := read[statedRun](s.run("backfill", "--user", "u-000001", "--user", "u-000003", "--json").exits(exitDone))
	if again.Outcomes[store.OutcomeUnchanged] != 1 || again.Outcomes[store.OutcomeArchived] != 1 {
		t.Errorf("backfill of one known and one new user: %+v", again.Summary)
	}
	if n := s.vlens.ImageRequests("u-000001"); n != 6 {
		t.Errorf("u-000001: %d images asked for, want 6", n)
	}

	s.run("backfill", "--user", "u-000001", "--force").exits(exitDone)
	if n := s.vlens.ImageRequests("u-000001"); n != 12 {
		t.Errorf("u-000001 after --force: %d images asked for, want 12", n)
	}

	s.run("backfill", "--user", "u-000001", "--user", "nobody-we-know").exits(exitInvalid).says("2")
	if e := s.run("backfill", "--user", "nobody-we-know"); e.code != exitInvalid || strings.Contains(e.stderr, "nobody") {
		t.Errorf("an unknown id: exit code %d, stderr %s", e.code, e.stderr)
	}
}

func TestBackfillByFilter(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 4, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000002": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "gone"}},
		"u-000003": {Row: "no_identifier"},
	}}}).migrated()
	s.inSource(`UPDATE users SET verified_at = '2026-03-01T00:00:00Z' WHERE id = 'u-000004'`)

	dated := read[statedRun](s.run("backfill", "--since", "2026-03-01", "--until", "2026-03-02", "--json").exits(exitDone))
	if dated.Outcomes[store.OutcomeArchived] != 1 {
		t.Errorf("backfill of one day: %+v", dated.Summary)
	}
	s.run("backfill", "--since", "2026-03-02").exits(exitDone).prints("0 images")

	s.run("run").exits(exitUsersFailed)
	if err := s.vlens.Change(func(sc *vlenstest.Scenario) { sc.Users = nil }); err != nil {
		t.Fatal(err)
	}
	class := read[statedRun](s.run("backfill", "--failed=no_identifier", "--per-minute", "600", "--json").exits(exitDone))
	if class.Outcomes[store.OutcomeUnchanged] != 1 || len(class.Failures) != 0 { // it was settled before
		t.Errorf("backfill of one class: %+v", class.Summary)
	}
	s.inSource(`UPDATE users SET email = 'user.three@example.com' WHERE id = 'u-000003'`)
	all := read[statedRun](s.run("backfill", "--failed", "--json").exits(exitDone))
	if all.Outcomes[store.OutcomeNotFound] != 1 || all.Outcomes[store.OutcomeArchived] != 1 {
		t.Errorf("backfill of all who failed: %+v", all.Summary)
	}
}
