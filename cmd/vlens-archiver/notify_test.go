package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens/vlenstest"
)

// monitor hears heartbeats and summaries.
type monitor struct {
	*httptest.Server
	mu        sync.Mutex
	status    int // of every answer
	pings     []string
	summaries []manifest.Summary
}

// watch makes the site tell a monitor, with a token in both URLs.
func (s *site) watch() *monitor {
	s.t.Helper()
	m := &monitor{status: http.StatusOK}
	m.Server = httptest.NewServer(m)
	s.t.Cleanup(m.Close)
	s.env["HEARTBEAT_URL"], s.env["WEBHOOK_URL"] = m.URL+"/ping/"+monitorToken, m.URL+"/hook/"+monitorToken
	s.configure("notify: {heartbeat_url: \"${HEARTBEAT_URL}\", webhook_url: \"${WEBHOOK_URL}\"}\n")
	return m
}

const monitorToken = "0b7e-token-of-the-monitor"

// configure adds sections to the configuration.
func (s *site) configure(sections string) {
	s.t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.config, append(text, sections...), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (m *monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	if word, isPing := strings.CutPrefix(r.URL.Path, "/ping/"+monitorToken+"/"); isPing {
		m.pings = append(m.pings, word)
	} else {
		var summary manifest.Summary
		_ = json.Unmarshal(body, &summary) // what is missing in it is noticed
		m.summaries = append(m.summaries, summary)
	}
	w.WriteHeader(m.status)
}

// hears takes what was heard since the last call and fails when the pings are
// others.
func (m *monitor) hears(t *testing.T, pings ...string) []manifest.Summary {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Equal(m.pings, pings) {
		t.Errorf("the monitor heard %q, want %q", m.pings, pings)
	}
	summaries := m.summaries
	m.pings, m.summaries = nil, nil
	return summaries
}

// unsaid fails when the output has a token.
func (e ended) unsaid() ended {
	e.t.Helper()
	if strings.Contains(e.stdout+e.stderr, monitorToken) {
		e.t.Errorf("%s: the output has the token of the monitor: %s", e.command, e.stderr)
	}
	return e
}

// The heartbeat tells what the exit code says, and the webhook what the run was.
func TestHeartbeatTellsTheExitCode(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 4, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000003": {Row: "no_identifier"},
	}}})
	m := s.watch()
	s.run("run").exits(exitInvalid).unsaid()
	m.hears(t, "start", "4")
	s.migrated()

	s.run("plan").exits(exitDone)
	s.run("run", "--dry-run").exits(exitDone)
	s.run("status").exits(exitDone)
	m.hears(t)

	first := read[statedRun](s.run("run", "--json").exits(exitUsersFailed).unsaid())
	summaries := m.hears(t, "start", "3")
	if len(summaries) != 1 || summaries[0].RunID != first.RunID || summaries[0].Status != store.RunClosed ||
		summaries[0].Outcomes[store.OutcomeArchived] != 3 || summaries[0].Outcomes[store.OutcomeFailed] != 1 || summaries[0].EndedAt.IsZero() {
		t.Errorf("summaries %+v", summaries)
	}
	s.run("backfill", "--user", "u-000001").exits(exitDone)
	if summaries := m.hears(t, "start", "0"); len(summaries) != 1 || summaries[0].Kind != store.RunBackfill {
		t.Errorf("summaries %+v", summaries)
	}
	s.run("backfill", "--limit", "1", "--user", "u-000001", "--user", "u-000002", "--strict").exits(exitWorkLeft)
	m.hears(t, "start", "6")

	s.run("run", "--run-id", "nightly").exits(exitDone)
	if summaries := m.hears(t, "start", "0"); len(summaries) != 1 {
		t.Errorf("summaries %+v", summaries)
	}
	s.run("run", "--run-id", "nightly").exits(exitDone).prints("nothing was done")
	if summaries := m.hears(t, "start", "0"); len(summaries) != 0 {
		t.Errorf("a run that was closed before is told again: %+v", summaries)
	}

	s.env["VLENS_PASSWORD"] = "wrong"
	s.run("backfill", "--user", "u-000001", "--force").exits(exitDenied).unsaid()
	m.hears(t, "start", "5")
}

// A monitor that fails, or is away, changes nothing but the log.
func TestMonitorThatFails(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 2}).migrated()
	m := s.watch()
	m.status = http.StatusForbidden
	s.run("run").exits(exitDone).unsaid().says(`"event":"notify_failed","target":"heartbeat"`).says(`"target":"webhook"`).says("status 403")
	m.hears(t, "start", "0")
	m.Close()
	s.run("run").exits(exitDone).unsaid().says("connection refused")
}

// A run that nobody came back to is told by who closes it.
func TestInterruptedRunIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 2}).migrated()
	m := s.watch()
	s.inLedger(`INSERT INTO archive.runs (run_id, kind, started_at) VALUES ('lost', 'scheduled', now() - interval '1 hour')`)
	s.run("run", "--run-id", "next").exits(exitDone)
	summaries := m.hears(t, "start", "0")
	if len(summaries) != 2 || summaries[0].RunID != "lost" || summaries[0].Status != store.RunInterrupted || summaries[1].RunID != "next" {
		t.Errorf("summaries %+v", summaries)
	}
}

// A run that finds none of many users says so everywhere.
func TestRunThatFindsNobodyIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 25, Scenario: vlenstest.Scenario{All: vlenstest.Rules{User: "unknown"}}})
	m := s.watch()
	s.migrated()
	const says, advice = "no user of the run has images at Vlens", "check vlens.tenancy_name"
	s.run("run", "--run-id", "nightly").exits(exitUsersFailed).says(says).says(advice).prints("note: Vlens has images of none of these users: " + advice)
	told := m.hears(t, "start", "3")
	stated := read[statedRun](s.run("backfill", "--since", "2000-01-01", "--json").exits(exitUsersFailed).says(says))
	told = append(told, stated.Summary)
	told = append(told, m.hears(t, "start", "3")...)
	if len(told) != 3 {
		t.Fatalf("summaries %+v", told)
	}
	for _, summary := range told {
		if summary.Outcomes[store.OutcomeNotFound] != 25 || !strings.Contains(strings.Join(summary.Notes, "\n"), advice) {
			t.Errorf("summary %+v", summary)
		}
	}
}
