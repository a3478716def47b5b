package worker_test

import (
	"errors"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// When the time of a process is over, nobody is in haste: users in flight are
// finished, however long the vendor takes for them, and no request is wasted.
func TestTimeBoxLetsUsersInFlightFinish(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{
		People: 40, Seed: 9, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{Latency: time.Second},
	})
	p := tn.Process("nightly", func(c *worker.Config) {
		c.Concurrency, c.MaxDuration, c.Grace = 8, 1500*time.Millisecond, 10*time.Millisecond
	})
	defer p.Close()
	report, err := p.Run(t.Context(), t.Context())
	if err != nil || !errors.Is(report.Stopped, worker.ErrTimeBox) || !report.WorkLeft || !report.Closed {
		t.Fatalf("the run ended with %v: %+v", err, report)
	}
	archived := report.Totals.Outcomes["archived"]
	if listed := int64(tn.Sim.Requests(vlenstest.List)); archived == 0 || archived != listed {
		t.Errorf("%d users were listed, %d are archived", listed, archived)
	}
	if asked := int64(tn.Sim.Requests(vlenstest.Image)); asked != archived*vlenstest.KindCount {
		t.Errorf("%d images were asked for, %d users are archived", asked, archived)
	}
}
