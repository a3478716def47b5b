package faults_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
)

// stopBound is far above what a stop takes, and far below the ten minutes for
// which a service that is away is waited for.
const stopBound = 2 * time.Minute

// awayFrom puts a gateway before the bucket, through which it is away from the
// first write on whose key has that part. The function brings it back.
func awayFrom(tn *archivetest.Tenant, part string) (back func()) {
	tn.T.Helper()
	var away, mended atomic.Bool
	tn.S3URL = archivetest.Gateway(tn.T, tn.S3URL, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, part) {
			away.Store(true)
		}
		if !away.Load() || mended.Load() {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	return func() { mended.Store(true) }
}

// A stop does not wait out an outage that it meets while the log is sealed or the
// files of the run are written: the next process goes on with either.
func TestStopWhileTheBucketIsAwayAtTheEnd(t *testing.T) {
	t.Parallel()
	const users = 3
	for name, part := range map[string]string{"at a seal": "/log/", "at the run's files": "/runs/"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, vlenstest.Options{People: users, ImageBytes: 4 << 10})
			tn.Seals = true
			back := awayFrom(tn, part)
			program := tn.Start(4, "run", "--run-id", "nightly")
			awaitLog(t, program, `"service":"the bucket"`)
			program.Signal(syscall.SIGTERM)
			select {
			case <-program.Done():
			case <-time.After(stopBound):
				t.Fatalf("it has not stopped after %s\n%s", stopBound, program.Stderr)
			}
			if code := program.Wait(); code != 143 {
				t.Errorf("exit code %d\n%s", code, program.Stderr)
			}

			back()
			if code := tn.Start(4, "run", "--run-id", "nightly").Wait(); code != 0 {
				t.Errorf("exit code %d of the run that goes on", code)
			}
			tn.CheckWhole(users)
			tn.CheckLog()
		})
	}
}

// awaitLog waits until the program has logged a text.
func awaitLog(t *testing.T, program *archivetest.Program, text string) {
	t.Helper()
	for !strings.Contains(program.Stderr.String(), text) {
		select {
		case <-program.Done():
			t.Fatalf("it ended before it said %s\n%s", text, program.Stderr)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
