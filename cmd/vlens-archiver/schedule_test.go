package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/schedule"
	"vlens-archiver/internal/testservices/child"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// weekly ticks once within the time that is caught up, and hardly while a test
// runs.
const weekly = "schedule: {cron: \"0 0 * * 0\", timezone: UTC}\n"

// probe answers what /readyz of a process says, "" when nobody answers.
func (s *site) probe(path string) (status int, body map[string]any) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.env["HEALTH_LISTEN"]+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	_ = json.Unmarshal(text, &body) // what is missing in it is noticed
	return response.StatusCode, body
}

// listening gives the configuration an address for probes.
func (s *site) listening() {
	s.t.Helper()
	address, err := child.FreeAddr(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	s.env["HEALTH_LISTEN"] = address.String()
	s.configure("telemetry: {health_listen: \"${HEALTH_LISTEN}\"}\n")
}

// runs are the ids of all runs in the ledger.
func (s *site) runs() []string {
	s.t.Helper()
	var ids []string
	s.with(s.env["LEDGER_DATABASE_URL"], func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT run_id FROM archive.runs ORDER BY started_at`)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return ids
}

func TestScheduleCatchesUpOnceAndWaits(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 5}).migrated()
	s.configure(weekly)
	s.listening()
	m := s.watch()
	first := s.start("schedule", "--json")
	first.await(first.stderr, "schedule_waiting")
	m.hears(t, "start", "0")
	if status, _ := s.probe("/livez"); status != http.StatusOK {
		t.Errorf("livez: %d", status)
	}
	status, body := s.probe("/readyz")
	last, _ := body["last_run"].(map[string]any)
	if status != http.StatusOK || body["run_id"] != nil || body["next_run"] == nil || last["exit_code"] != 0.0 {
		t.Errorf("readyz: %d %v", status, body)
	}
	if err := first.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	e := first.wait().exits(143).says("stopped by SIGTERM").unsaid()
	if done := read[statedRun](e); done.Kind != store.RunScheduled || !done.Closed || done.Outcomes[store.OutcomeArchived] != 5 {
		t.Errorf("run of the tick: %+v", done)
	}
	runs := s.runs()
	if len(runs) != 1 || !strings.HasPrefix(runs[0], "cron-20") || !strings.HasSuffix(runs[0], "t000000z") {
		t.Errorf("runs %q", runs)
	}

	// The ledger remembers: a new process has nothing to catch up, asks nothing of
	// Vlens, and stops between two runs.
	requests := s.vlens.Requests()
	second := s.start("schedule")
	second.await(second.stderr, "schedule_waiting")
	if err := second.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	second.wait().exits(130)
	if now := s.runs(); !slices.Equal(now, runs) || s.vlens.Requests() != requests {
		t.Errorf("runs %q, %d requests more", now, s.vlens.Requests()-requests)
	}
	m.hears(t)
}

// Replicas share the run of a tick; one that is stopped in the middle leaves it
// to the other.
func TestScheduleReplicasShareTheRun(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 40, Scenario: vlenstest.Scenario{Latency: 30 * time.Millisecond}}).migrated()
	s.configure(weekly)
	stopped, other := s.start("schedule", "--worker", "a", "--json"), s.start("schedule", "--worker", "b")
	s.awaitRequests(vlenstest.Image, 10)
	if err := stopped.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	e := stopped.wait().exits(143)
	if part := read[statedRun](e); part.Stopped == nil || *part.Stopped != "signal" {
		t.Errorf("part of the one that was stopped: %+v", part)
	}
	other.await(other.stderr, "schedule_waiting")
	if err := other.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	other.wait().exits(143).prints("40 users: archived 40")
	if runs := s.runs(); len(runs) != 1 {
		t.Errorf("runs %q", runs)
	}
	if n := s.vlens.Requests(vlenstest.Image); n != 240 {
		t.Errorf("%d images asked for, want 240: nothing twice", n)
	}
}

// Users who failed are told, and do not end the process.
func TestScheduleGoesOnAfterUsersFailed(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 2, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000001": {Row: "no_identifier"},
	}}}).migrated()
	s.configure(weekly)
	m := s.watch()
	process := s.start("schedule")
	process.await(process.stderr, "schedule_waiting")
	m.hears(t, "start", "3")
	if err := process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	process.wait().exits(143).says(`"event":"run_failed"`).says(`"exit_code":3`).says("1 users failed or are partial")
}

// What only a person can mend is tried once: the process stays up, unready, and spends
// no more requests until it is stopped.
func TestScheduleHalts(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 2})
	s.configure(weekly)
	s.run("schedule").exits(exitInvalid).says("migrate up")
	s.migrated()
	s.run("schedule", "--limit", "-1").exits(exitInvalid).says("--limit")
	s.run("schedule", "--run-id", "x").exits(exitInvalid).says("unknown flag")
	m := s.watch()
	s.env["VLENS_PASSWORD"] = "wrong"
	s.listening()
	s.halts(exitDenied).says("check vlens.api_key").says(`"exit_code":5`)
	m.hears(t, "start", "5")
	if n := s.vlens.Requests(vlenstest.Login); n != 1 {
		t.Errorf("%d logins", n)
	}

	// The ledger is there when the process starts, the users are not.
	s.env["VLENS_PASSWORD"] = vlenstest.DefaultPassword
	s.inSource(`DROP TABLE users`)
	s.halts(exitInvalid).says("users_sql")
	m.hears(t, "start", "4")
}

// halts starts a schedule that halts, makes sure that it stays up and says so, and
// stops it: then it ends with the exit code.
func (s *site) halts(code int) ended {
	s.t.Helper()
	process := s.start("schedule")
	process.await(process.stderr, "schedule_halted")
	if status, _ := s.probe("/livez"); status != http.StatusOK {
		s.t.Errorf("livez: %d", status)
	}
	status, body := s.probe("/readyz")
	halted, _ := body["halted"].(map[string]any)
	if status != http.StatusServiceUnavailable || halted["exit_code"] != float64(code) || halted["next"] == "" {
		s.t.Errorf("readyz: %d %v", status, body)
	}
	if err := process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	return process.wait().exits(code)
}

// A stop and a start with another limit, while the run of the tick is open: the
// second process goes on with the run.
func TestScheduleWithAnotherLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 30, Scenario: vlenstest.Scenario{Latency: 50 * time.Millisecond}}).migrated()
	s.configure(weekly)
	first := s.start("schedule", "--limit", "20")
	s.awaitRequests(vlenstest.List, 2)
	if err := first.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	first.wait().exits(143)
	second := s.start("schedule")
	second.await(second.stderr, "schedule_waiting")
	if err := second.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	second.wait().exits(143)
	if runs := read[statedStatus](s.run("status", "--json").exits(exitDone)).Runs; len(runs) != 1 || runs[0].Outcomes[store.OutcomeArchived] != 30 {
		t.Errorf("runs after both processes: %+v", runs)
	}
}

// A run of another kind under the tick's id is not joined, and does not end the
// process: the next tick has another id.
func TestScheduleOverABackfillWithTheTicksID(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 30, Scenario: vlenstest.Scenario{Latency: 50 * time.Millisecond}}).migrated()
	s.configure(weekly)
	today := time.Now().UTC()
	sunday := time.Date(today.Year(), today.Month(), today.Day()-int(today.Weekday()), 0, 0, 0, 0, time.UTC)
	backfill := s.start("backfill", "--since", "2000-01-01", "--run-id", schedule.RunID(sunday))
	s.awaitRequests(vlenstest.List, 2)
	if err := backfill.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	backfill.wait().exits(143) // the run stays open
	process := s.start("schedule")
	process.await(process.stderr, "schedule_waiting")
	if err := process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	process.wait().exits(143).says("it is a backfill run, not a scheduled run")
}

// A run answers probes too, as long as it lasts.
func TestRunAnswersProbes(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 4, Scenario: vlenstest.Scenario{
		All:   vlenstest.Rules{Faults: map[vlenstest.Endpoint]string{vlenstest.Image: "slow_headers"}},
		Delay: time.Minute,
	}}).migrated()
	s.listening()
	process := s.start("run", "--run-id", "nightly")
	s.awaitRequests(vlenstest.List, 4)
	if status, body := s.probe("/readyz"); status != http.StatusOK || body["run_id"] != "nightly" {
		t.Errorf("readyz: %d %v", status, body)
	}
	s.run("run", "--run-id", "nightly").exits(exitInvalid).says("telemetry.health_listen").says("another process listens there")
	for range 2 {
		if err := process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		process.await(process.stderr, "stopping")
	}
	process.wait().exits(exitFailed)
}
