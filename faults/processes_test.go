package faults_test

import (
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
)

// TestFourProcessesShareARun lets four processes archive one run; nobody's
// listing may be asked for twice.
func TestFourProcessesShareARun(t *testing.T) {
	t.Parallel()
	users := longOr(2000, 200)
	tn := archivetest.NewTenant(t, tenantOf(users))
	var processes []*archivetest.Program
	for n := range 4 {
		processes = append(processes, tn.Start(8, "run", "--run-id", "nightly", "--worker", fmt.Sprintf("pod-%d", n)))
	}
	for n, p := range processes {
		if code := p.Wait(); code != 0 {
			t.Errorf("process %d ended with %d\n%s", n, code, p.Stderr)
		}
	}
	for _, id := range tn.UserIDs() {
		if n := tn.Sim.ListRequests(id); n != 1 {
			t.Errorf("user %s was listed %d times", id, n)
		}
	}
	if n := tn.Sim.Requests(vlenstest.Image); n != users*vlenstest.KindCount {
		t.Errorf("%d images were asked for, want %d", n, users*vlenstest.KindCount)
	}
	tn.CheckWhole(users)
	checkRunFiles(tn)
}

// TestFourProcessesAndOneIsKilled kills one of four; the others must finish its
// users in the same run, and nobody else's twice. In the long form they wait for
// the dead one as long as they do in production.
func TestFourProcessesAndOneIsKilled(t *testing.T) {
	t.Parallel()
	users := longOr(2000, 150)
	const concurrency = 8
	random := random(t)
	options := tenantOf(users)
	options.Scenario.Latency = 5 * time.Millisecond
	tn := archivetest.NewTenant(t, options)
	var processes []*archivetest.Program
	for n := range 4 {
		processes = append(processes, tn.Start(concurrency, "run", "--run-id", "nightly", "--worker", fmt.Sprintf("pod-%d", n)))
	}
	victim := processes[random.IntN(4)]
	awaitLeases(t, tn, processes, victim)
	victim.Kill()
	killed := time.Now()
	dead := leaseholders(tn, processes, victim)
	if !long {
		tn.TakeOver(dead...)
	}
	closers := 0
	for n, p := range processes {
		if p == victim {
			continue
		}
		if code := p.Wait(); code != 0 {
			t.Errorf("process %d ended with %d\n%s", n, code, p.Stderr)
		}
		if p.Stderr.Events("run_closed") > 0 {
			closers++
		}
	}
	t.Logf("the others were done %s after the kill", time.Since(killed).Round(time.Millisecond))
	if after := time.Since(killed); !long && after > 45*time.Second {
		t.Errorf("the others waited %s for the dead", after)
	}
	if closers != 1 {
		t.Errorf("%d processes closed the run", closers)
	}
	again := tn.Sim.Requests(vlenstest.Image) - users*vlenstest.KindCount
	if again > concurrency {
		t.Errorf("%d images were asked for again, at most %d were in flight", again, concurrency)
	}
	tn.CheckWhole(users)
	checkRunFiles(tn)
}

// awaitLeases returns when the process with that place holds users.
func awaitLeases(t *testing.T, tn *archivetest.Tenant, processes []*archivetest.Program, victim *archivetest.Program) {
	t.Helper()
	await(t, victim, func() bool {
		return tn.Count(`SELECT count(*) FROM archive.subjects AS s WHERE starts_with(s.lease_process, $1)`, workerOf(processes, victim)) > 0
	})
}

func leaseholders(tn *archivetest.Tenant, processes []*archivetest.Program, of *archivetest.Program) []string {
	return archivetest.Query[string](tn, `SELECT process FROM archive.processes WHERE ended_at IS NULL AND starts_with(process, $1)`, workerOf(processes, of))
}

// workerOf is how the ids of a process's sessions begin.
func workerOf(processes []*archivetest.Program, p *archivetest.Program) string {
	for n, one := range processes {
		if one == p {
			return fmt.Sprintf("pod-%d-", n)
		}
	}
	return ""
}

// TestPausedProcessIsFencedOff stops a process in the middle until others have
// taken its users over, and then lets it go on: what it still does must be
// dropped.
func TestPausedProcessIsFencedOff(t *testing.T) {
	t.Parallel()
	const users = 24
	options := tenantOf(users)
	options.Scenario.Latency = 20 * time.Millisecond
	tn := archivetest.NewTenant(t, options)
	paused := tn.Start(8, "run", "--run-id", "nightly", "--worker", "pod-0", "--json")
	awaitLeases(t, tn, []*archivetest.Program{paused}, paused)
	awaitRequests(t, tn, paused, 12)
	paused.Signal(syscall.SIGSTOP)
	held := leaseholders(tn, []*archivetest.Program{paused}, paused)
	before := tn.Count(`SELECT count(*) FROM archive.subjects WHERE lease_process = ANY ($1)`, held)
	if before == 0 {
		t.Fatal("the paused process holds nobody")
	}
	if long {
		until := time.NewTimer(61 * time.Second)
		defer until.Stop()
		<-until.C
	} else {
		tn.TakeOver(held...)
	}

	// The other takes all users, but does not come to the end of the run before
	// the first goes on: both believe they hold the same users.
	other := tn.Start(8, "run", "--run-id", "nightly", "--worker", "pod-1", "--json")
	await(t, other, func() bool {
		return tn.Count(`SELECT count(*) FROM archive.subjects WHERE lease_process = ANY ($1)`, held) < before
	})
	paused.Signal(syscall.SIGCONT)
	for name, p := range map[string]*archivetest.Program{"paused": paused, "other": other} {
		if code := p.Wait(); code != 0 {
			t.Errorf("the %s process ended with %d\n%s", name, code, p.Stderr)
		}
		var report struct{ Outcomes map[string]int }
		if err := json.Unmarshal(p.Stdout.Bytes(), &report); err != nil {
			t.Errorf("the %s process: %v", name, err)
		}
	}
	if dropped := paused.Stderr.Events("lease_lost") + paused.Stderr.Events("process_lost"); dropped == 0 {
		t.Errorf("the paused process did not notice\n%s", paused.Stderr)
	}
	if n := tn.Count(`SELECT count(*) FROM archive.outcomes`); n != users {
		t.Errorf("%d outcomes, want one for each of %d users", n, users)
	}
	if n := tn.Count(`SELECT count(*) FROM archive.records`); n != users {
		t.Errorf("%d records, want one for each of %d users", n, users)
	}
	tn.CheckWhole(users)
	checkRunFiles(tn)
}
