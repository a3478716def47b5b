package faults_test

import (
	"strings"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// Requests of a process that lost its heartbeat are counted once.
func TestRequestsAfterALostHeartbeat(t *testing.T) {
	t.Parallel()
	const users = 100
	tn := archivetest.NewTenant(t, vlenstest.Options{
		People: users, Seed: 7, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{Latency: 100 * time.Millisecond},
	})
	p := tn.Process("nightly", nil)
	defer p.Close()
	go func() {
		p.WaitForUsers(40)
		tn.ExecLedger(`UPDATE archive.processes SET heartbeat_at = now() - interval '5 minutes'`)
	}()
	report, err := p.Run(t.Context(), t.Context())
	checkAllArchived(tn, report, err, users)
	if !strings.Contains(tn.Log.String(), "process_lost") {
		t.Error("the heartbeat was not lost")
	}
	for endpoint, name := range map[vlenstest.Endpoint]string{vlenstest.Login: "login", vlenstest.List: "list", vlenstest.Image: "image"} {
		// Those in flight are dropped, some of them before Vlens has them.
		if got, want := report.Totals.Requests[name], int64(tn.Sim.Requests(endpoint)); got < want || got > want+16 {
			t.Errorf("%d requests for %s are counted, Vlens had %d", got, name, want)
		}
	}
	if n := report.Totals.Requests[store.UntoldRequests]; n != 0 {
		t.Errorf("%d requests are untold", n)
	}
}
