package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

func TestSignalStopsCleanlyAndARerunGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signal syscall.Signal
		code   int
	}{
		"SIGTERM": {syscall.SIGTERM, 143},
		"SIGINT":  {syscall.SIGINT, 130},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, vlenstest.Options{People: 60, Scenario: vlenstest.Scenario{Latency: 50 * time.Millisecond}}).migrated()
			process := s.start("run", "--run-id", "nightly", "--json")
			s.awaitRequests(vlenstest.Image, 10)
			if err := process.cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			e := process.wait().exits(c.code).says("stopped by " + name).says("run again")
			stopped := read[statedRun](e)
			done := stopped.Outcomes[store.OutcomeArchived]
			if stopped.Stopped == nil || *stopped.Stopped != "signal" || stopped.Closed || stopped.Status != store.RunOpen || stopped.EndedAt != nil {
				t.Errorf("stopped run: %+v", stopped)
			}
			if done == 0 || done == 60 || !stopped.WorkLeft {
				t.Errorf("%d users done when the run was stopped in its middle", done)
			}

			if err := s.vlens.Change(func(sc *vlenstest.Scenario) { sc.Latency = 0 }); err != nil {
				t.Fatal(err)
			}
			rest := read[statedRun](s.run("run", "--run-id", "nightly", "--json").exits(exitDone))
			if !rest.Closed || rest.Outcomes[store.OutcomeArchived] != 60 {
				t.Errorf("rerun: %+v", rest)
			}
			if n := s.vlens.Requests(vlenstest.Image); n != 360 {
				t.Errorf("%d images asked for in both, want 360: nothing twice", n)
			}
		})
	}
}

func TestSecondSignalDropsWhatIsInFlight(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 4, Scenario: vlenstest.Scenario{
		All:   vlenstest.Rules{Faults: map[vlenstest.Endpoint]string{vlenstest.Image: "slow_headers"}},
		Delay: time.Minute,
	}}).migrated()
	process := s.start("run", "--run-id", "nightly")
	s.awaitRequests(vlenstest.List, 4)
	if err := process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	process.await(process.stderr, "stopping")
	if err := process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	process.wait().exits(exitFailed).says("stopped at once by a second signal")
}

// Nothing in flight can be finished while Vlens is away, so there is nothing to
// wait for: the grace of 25 s is for what can.
func TestSignalWhileVlensIsAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 4}).migrated()
	there := s.env["VLENS_BASE_URL"]
	s.env["VLENS_BASE_URL"] = "http://127.0.0.1:1" // nobody listens there
	process := s.start("run", "--run-id", "nightly")
	process.await(process.stderr, "service_away")
	signalled := time.Now()
	if err := process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	process.wait().exits(143).says("stop_in_vain").says("run again")
	if took := time.Since(signalled); took > 20*time.Second {
		t.Errorf("it took %s to stop", took)
	}

	s.env["VLENS_BASE_URL"] = there
	done := read[statedRun](s.run("run", "--run-id", "nightly", "--json").exits(exitDone))
	if !done.Closed || done.Outcomes[store.OutcomeArchived] != 4 {
		t.Errorf("the run when Vlens is back: %+v", done)
	}
}

// Only a run goes on where it stopped.
func TestSignalStopsAnExamination(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 1, Scenario: vlenstest.Scenario{Latency: time.Minute}}).migrated()
	process := s.start("doctor")
	process.await(process.stdout, "vlens.url")
	if err := process.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	e := process.wait().exits(130).says("stopped by SIGINT").says("run it again: it begins anew")
	if strings.Contains(e.stderr, "goes on") {
		t.Errorf("doctor does not go on where it stopped:\n%s", e.stderr)
	}
}

func TestSimulateServesUntilItIsStopped(t *testing.T) {
	t.Parallel()
	users := filepath.Join(t.TempDir(), "users.csv")
	s := &site{t: t}
	process := s.start("simulate", "--listen", "127.0.0.1:0", "--people", "7", "--users-csv", users)
	process.await(process.stdout, "/_sim/users.csv")
	rows, err := os.ReadFile(users)
	if err != nil || strings.Count(string(rows), "\n") != 8 {
		t.Errorf("--users-csv: %v, %s", err, rows)
	}

	_, rest, _ := strings.Cut(process.stdout.text(), "base_url: ")
	baseURL, _, _ := strings.Cut(rest, "\n")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, baseURL+"/_sim/users.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	served, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || string(served) != string(rows) {
		t.Errorf("the users served are not those of the file: %v, %s", err, served)
	}

	if err := process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := process.cmd.Wait(); err != nil {
		t.Errorf("end after SIGTERM: %v, %s", err, process.stderr.text())
	}
}

// running is the program as a process of its own.
type running struct {
	s      *site
	cmd    *exec.Cmd
	stdout *watched
	stderr *watched
}

// start starts the program as a process, which ends with the test.
func (s *site) start(args ...string) *running {
	s.t.Helper()
	r := &running{s: s, stdout: newWatched(), stderr: newWatched()}
	r.cmd = exec.CommandContext(s.t.Context(), asProgram(s.t, s.t.TempDir()), append([]string{"--config", s.config}, args...)...)
	r.cmd.Env = os.Environ()
	for name, value := range s.env {
		r.cmd.Env = append(r.cmd.Env, name+"="+value)
	}
	r.cmd.Stdout, r.cmd.Stderr = r.stdout, r.stderr
	if err := r.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// awaitRequests waits until Vlens has had n requests of a kind.
func (s *site) awaitRequests(endpoint vlenstest.Endpoint, n int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for s.vlens.Requests(endpoint) < n {
		select {
		case <-ctx.Done():
			s.t.Fatalf("Vlens had %d requests of kind %s, not %d", s.vlens.Requests(endpoint), endpoint, n)
		case <-ticker.C:
		}
	}
}

// await waits until the program has written a text to one of its outputs.
func (r *running) await(output *watched, text string) {
	r.s.t.Helper()
	ctx, cancel := context.WithTimeout(r.s.t.Context(), time.Minute)
	defer cancel()
	for !strings.Contains(output.text(), text) {
		select {
		case <-ctx.Done():
			r.s.t.Fatalf("the output lacks %q: %s", text, output.text())
		case <-output.more:
		}
	}
}

// wait waits for the end of the process.
func (r *running) wait() ended {
	r.s.t.Helper()
	_ = r.cmd.Wait() // the exit code says it
	e := ended{r.s.t, "process", r.cmd.ProcessState.ExitCode(), r.stdout.text(), r.stderr.text()}
	e.neverSays(r.s)
	return e
}
