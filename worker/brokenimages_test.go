package worker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// A backfill over users whose images always break off says so of each of them, at
// the same price every time, whether or not anybody else is asked for.
func TestBackfillOverImagesThatBreakOff(t *testing.T) {
	t.Parallel()
	const users, tries, runs = 12, 2, 3
	for name, well := range map[string]int{"alone": 0, "beside others": 8} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := map[string]vlenstest.Rules{}
			want := map[string]string{}
			for n := range users {
				id := fmt.Sprintf("u-%06d", n+1)
				rules[id] = vlenstest.Rules{Faults: map[vlenstest.Endpoint]string{vlenstest.Image: "reset"}}
				want[id] = "failed network"
			}
			tn := archivetest.NewTenant(t, vlenstest.Options{
				People: users + well, Seed: 25, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{Users: rules},
			})
			for n := range runs {
				runID := fmt.Sprintf("run-%d", n)
				began := time.Now()
				images, lists, logins := tn.Sim.Requests(vlenstest.Image), tn.Sim.Requests(vlenstest.List), tn.Sim.Requests(vlenstest.Login)
				report := tn.Run(runID, func(c *worker.Config) {
					if n > 0 {
						c.Run = store.Run{ID: runID, Kind: store.RunBackfill, Selection: store.Selection{Failed: true}}
					}
				})
				ended := archivetest.Index(archivetest.Query[string](tn, `
					SELECT concat_ws(' ', user_id, outcome, class) FROM archive.outcomes WHERE run_id = $1 AND outcome <> 'archived'`, runID))
				if diff := cmp.Diff(want, ended); diff != "" {
					t.Errorf("%s: ended as (-want +got):\n%s", runID, diff)
				}
				asked, listed := users*vlenstest.KindCount*tries, users
				if n == 0 {
					asked, listed = asked+well*vlenstest.KindCount, listed+well
				}
				if got := tn.Sim.Requests(vlenstest.Image) - images; got != asked {
					t.Errorf("%s: %d image requests, want %d", runID, got, asked)
				}
				if got := tn.Sim.Requests(vlenstest.List) - lists; got != listed {
					t.Errorf("%s: %d listings, want %d", runID, got, listed)
				}
				// One to begin with, and one a minute to see whether Vlens is there.
				most := 2 + int(time.Since(began)/time.Minute)
				if got := tn.Sim.Requests(vlenstest.Login) - logins; got < 2 || got > most {
					t.Errorf("%s: %d logins, want 2 to %d", runID, got, most)
				}
				if report.Totals.Failures[store.ClassNetwork] != users {
					t.Errorf("%s: failures %v", runID, report.Totals.Failures)
				}
			}
		})
	}
}
