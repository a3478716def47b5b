package worker_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// A service that goes away in the middle ends the run with an error that says
// which one and what to do; when it is back, a rerun completes the archive and
// pays for no image twice.
func TestServiceGoesAwayInTheMiddle(t *testing.T) {
	t.Parallel()
	const users = 60
	for _, c := range []struct {
		name string
		stop func(t *testing.T, tn *archivetest.Tenant) (back func())
		says string
		// lost is the most image requests that may be spent again: the 16 in
		// flight when the service went away.
		lost int
	}{
		{
			name: "the bucket", says: "the bucket has been unavailable", lost: 16,
			stop: func(t *testing.T, tn *archivetest.Tenant) func() {
				if err := tn.S3.Stop(); err != nil {
					t.Error(err)
				}
				return func() {
					if err := tn.S3.Restart(t.Context()); err != nil {
						t.Error(err)
					}
				}
			},
		},
		{
			name: "the ledger", says: "the database has been unavailable", lost: 16,
			stop: func(t *testing.T, tn *archivetest.Tenant) func() {
				if err := syscall.Kill(tn.Postgres.Pid(), syscall.SIGQUIT); err != nil {
					t.Error(err)
				}
				return func() {
					if err := tn.Postgres.Restart(t.Context()); err != nil {
						t.Error(err)
					}
				}
			},
		},
		{
			name: "the vendor", says: "Vlens has been unavailable", lost: 16,
			stop: func(_ *testing.T, tn *archivetest.Tenant) func() {
				tn.StopVendor()
				return tn.StartVendor
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenantAlone(t, vlenstest.Options{People: users, Seed: 2, ImageBytes: 8 << 10})
			p := tn.Process("first", func(config *worker.Config) { config.OutageBound = 2 * time.Second })
			defer p.Close()
			back := make(chan func(), 1)
			go func() {
				p.WaitForUsers(users / 4)
				back <- c.stop(t, tn)
			}()
			_, err := p.Run(t.Context(), t.Context())
			var outage *worker.OutageError
			if !errors.As(err, &outage) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "run again when it is back") {
				t.Errorf("the error is %v", err)
			}
			(<-back)()

			report := tn.Run("second", nil)
			if report.WorkLeft || report.Totals.Users["archived"] != users {
				t.Errorf("after the rerun: %+v, failures %+v", report.Totals.Users, report.Totals.Failures)
				t.Log(tn.Log)
			}
			tn.CheckWhole(users)
			if again := tn.Sim.Requests(vlenstest.Image) - users*vlenstest.KindCount - failedImages(tn); again > c.lost {
				t.Errorf("%d images were asked for again, at most %d were in flight", again, c.lost)
			}
		})
	}
}

// failedImages is how many image requests the simulator did not serve.
func failedImages(tn *archivetest.Tenant) int {
	n := 0
	for _, count := range tn.Sim.Counters() {
		if count.Endpoint == vlenstest.Image && count.Status != 200 {
			n += count.Requests
		}
	}
	return n
}
