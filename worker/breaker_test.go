package worker_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

func TestSameUnknownErrorStopsTheRun(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 60, Seed: 8, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		All: vlenstest.Rules{Faults: map[vlenstest.Endpoint]string{vlenstest.List: "error"}},
	}})
	p := tn.Process("first", nil)
	defer p.Close()
	_, err := p.Run(t.Context(), t.Context())
	if !errors.Is(err, worker.ErrBreaker) || !strings.Contains(err.Error(), "code 5000") {
		t.Errorf("the run ended with %v", err)
	}
	// Twenty, and those who were in flight beside the twentieth.
	ended := len(ends(tn, "first"))
	if asked := tn.Sim.Requests(vlenstest.List); ended < 20 || ended > 28 || asked > 2*28 {
		t.Errorf("%d users ended and %d listings were asked for", ended, asked)
	}

	// When every other user is well, the error is theirs alone.
	if err := tn.Sim.Change(func(s *vlenstest.Scenario) {
		healthy := vlenstest.Rules{Faults: map[vlenstest.Endpoint]string{vlenstest.List: "slow_headers"}}
		s.Delay = time.Millisecond
		s.Users = map[string]vlenstest.Rules{}
		for n := 1; n <= 60; n += 2 {
			s.Users[fmt.Sprintf("u-%06d", n)] = healthy
		}
	}); err != nil {
		t.Fatal(err)
	}
	tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
	report := tn.Run("second", nil)
	if report.Totals.Outcomes["archived"] != 30 || report.Totals.Outcomes["failed"] != 30 {
		t.Errorf("interleaved: %+v", report.Totals.Outcomes)
	}
}

// When one kind of image fails for everybody, the others are still worth their
// requests.
func TestPartialUsersDoNotStopTheRun(t *testing.T) {
	t.Parallel()
	const users = 30
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 18, ImageBytes: 8 << 10, Scenario: vlenstest.Scenario{
		All: vlenstest.Rules{Images: map[vlenstest.Kind]string{vlenstest.Face3: "empty"}},
	}})
	if report := tn.Run("first", nil); report.Totals.Outcomes["partial"] != users {
		t.Errorf("%+v", report.Totals.Outcomes)
	}
}
