package faults_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
)

// TestKillAtRandomMoments kills the program with signal 9, again and again, and
// then lets it finish. Every image must be stored once, all places must agree,
// and each kill may cost at most what was in flight.
func TestKillAtRandomMoments(t *testing.T) {
	t.Parallel()
	const (
		concurrency   = 8
		usersInFlight = concurrency / 2
	)
	kills := longOr(50, 5)
	users := 12 * kills
	random := random(t)
	tn := archivetest.NewTenant(t, vlenstest.Options{
		People: users, Seed: seed, ImageBytes: 4 << 10,
		Scenario: vlenstest.Scenario{Latency: 3 * time.Millisecond},
	})
	tn.Seals = true

	for kill := range kills {
		p := tn.Start(concurrency, "run", "--run-id", "nightly")
		switch kill % 5 {
		case 0: // at any time, also before the first request
			within(t, p, time.Duration(random.Int64N(int64(time.Second))))
		default: // in the middle of the users
			awaitRequests(t, tn, p, tn.Sim.Requests()+1+random.IntN(60))
			within(t, p, time.Duration(random.Int64N(int64(20*time.Millisecond))))
		}
		p.Kill()
		tn.TakeOver()
	}

	rest := tn.Start(concurrency, "run", "--run-id", "nightly", "--json")
	if code := rest.Wait(); code != 0 {
		t.Fatalf("the rerun ended with %d\n%s", code, rest.Stderr)
	}
	tn.CheckWhole(users)
	tn.CheckLog()
	if n := tn.Count(`SELECT count(*) FROM archive.runs WHERE run_id = 'nightly' AND status = 'closed'`); n != 1 {
		t.Error("the run is not closed")
	}
	if n := tn.Count(`SELECT count(*) FROM archive.outcomes WHERE outcome = 'archived'`); n != int64(users) {
		t.Errorf("%d users are archived, want %d", n, users)
	}
	var summary struct{ Requests map[string]int64 }
	if err := json.Unmarshal(rest.Stdout.Bytes(), &summary); err != nil {
		t.Fatal(err)
	}
	told := int64(0)
	for _, n := range summary.Requests {
		told += n
	}
	if done := tn.Count(`SELECT sum(requests)::bigint FROM archive.outcomes`); told < done {
		t.Errorf("the summary tells %d requests %v, the users' outcomes %d", told, summary.Requests, done)
	}
	again := tn.Sim.Requests(vlenstest.Image) - users*vlenstest.KindCount
	if again > kills*concurrency {
		t.Errorf("%d images were asked for again after %d kills with %d in flight", again, kills, concurrency)
	}
	listed := tn.Sim.Requests(vlenstest.List) - users
	if listed > kills*usersInFlight {
		t.Errorf("%d users were listed again after %d kills with %d in flight", listed, kills, usersInFlight)
	}
	t.Logf("%d kills among %d users cost %d images and %d listings again", kills, users, again, listed)
}

// within returns after a time, or when the program has ended.
func within(t *testing.T, p *archivetest.Program, d time.Duration) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	select {
	case <-ctx.Done():
	case <-p.Done():
	}
}

// awaitRequests returns when the vendor has had that many requests, or when the
// program has ended.
func awaitRequests(t *testing.T, tn *archivetest.Tenant, p *archivetest.Program, n int) {
	await(t, p, func() bool { return tn.Sim.Requests() >= n })
}

// await returns when the condition holds, or when the program has ended.
func await(t *testing.T, p *archivetest.Program, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-p.Done():
			return
		case <-ctx.Done():
			t.Fatalf("what the test waits for does not happen\n%s", p.Stderr)
		}
	}
}
