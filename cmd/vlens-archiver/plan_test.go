package main

import (
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// Users of this tenant have three images each, which only its history tells.
func TestPlanLearnsFromHistory(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 12, Scenario: vlenstest.Scenario{All: vlenstest.Rules{Images: map[vlenstest.Kind]string{
		vlenstest.Face1: "absent", vlenstest.Face2: "absent", vlenstest.Face3: "absent",
	}}}}).migrated()
	s.run("run", "--limit", "8").exits(exitDone)

	s.env["PER_MINUTE"] = "40"
	before := time.Now()
	plan := read[statedPlan](s.run("plan", "--json").exits(exitDone))
	if plan.Due[store.DueNew] != 4 || plan.DueTotal != 4 || plan.Requests != 4+4*3 || plan.Bytes != 4*3*(8<<10) || !plan.FromHistory {
		t.Errorf("plan after eight users: %+v", plan)
	}
	const seconds = 24 // 16 requests at 40 a minute
	if plan.Seconds == nil || *plan.Seconds != seconds || plan.FinishAt == nil ||
		plan.FinishAt.Before(before.Add((seconds-1)*time.Second)) || plan.FinishAt.After(time.Now().Add((seconds+1)*time.Second)) {
		t.Errorf("time of the plan: %+v", plan)
	}
	s.run("plan").exits(exitDone).prints("16 requests").prints("own averages").prints("takes 24s")
}

// Users who never verified cost requests for ever, and a condition in the user query
// spares them.
func TestPlanCountsWhoNeverVerified(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 6, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000001": {User: "unknown"}, "u-000002": {User: "unknown"}, "u-000003": {Listing: "empty"},
	}}}).migrated()
	s.run("run").exits(exitDone)
	if plan := read[statedPlan](s.run("plan", "--json").exits(exitDone)); plan.DueTotal != 0 || plan.Unverified != 0 {
		t.Errorf("nobody is due: %+v", plan)
	}
	s.inLedger(`UPDATE archive.subjects SET next_due_at = now()`)
	plan := read[statedPlan](s.run("plan", "--json").exits(exitDone))
	if plan.DueTotal != 6 || plan.Unverified != 3 || plan.Requests != 6 {
		t.Errorf("%+v", plan)
	}
	s.run("plan").exits(exitDone).prints("3 of those to be repeated are users of whom Vlens had nothing").prints("put that condition into source.users_sql")
}
