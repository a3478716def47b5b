package main

import (
	"fmt"
	"testing"

	"vlens-archiver/vlens/vlenstest"
)

// Dates that are none keep no run from closing and hide nobody who waits; one to
// come makes nobody due again and again.
func TestDatesOfOtherWorlds(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 6}).migrated()
	for id, verified := range map[string]string{
		"u-000001": "0001-01-01", "u-000002": "10000-01-01", "u-000003": "0044-03-15 BC", "u-000004": "infinity", "u-000005": "2150-01-01", "u-000006": "1970-01-01",
	} {
		s.inSource(fmt.Sprintf(`UPDATE users SET verified_at = '%s' WHERE id = '%s'`, verified, id))
	}
	plan := read[statedPlan](s.run("plan", "--json").exits(exitDone))
	if plan.Undated != 5 || plan.DueTotal != 6 {
		t.Errorf("%+v", plan)
	}
	s.run("plan").exits(exitDone).prints("of 5 users verified_at is before 2000 or after 2199")

	s.run("run", "--limit", "1").exits(exitDone).says(`"undated":5`)
	waiting := read[statedStatus](s.run("status", "--json").exits(exitDone))
	if waiting.Users["pending"] != 5 || waiting.OldestPendingAt == nil || waiting.OldestPendingAt.Year() < 2000 {
		t.Errorf("%d users wait since %v", waiting.Users["pending"], waiting.OldestPendingAt)
	}
	s.run("status").exits(exitDone).prints("oldest user waiting for a first attempt")

	whole := read[statedRun](s.run("run", "--json").exits(exitDone))
	if !whole.Closed || whole.Outcomes["archived"] != 5 || whole.OldestPendingAt != nil {
		t.Errorf("%+v", whole)
	}
	again := read[statedRun](s.run("run", "--json").exits(exitDone))
	if len(again.Requests) != 0 {
		t.Errorf("a run with nothing to do sent %v", again.Requests)
	}
	s.run("report", "--run", whole.RunID, "--out", t.TempDir()+"/report.html").exits(exitDone)
}
