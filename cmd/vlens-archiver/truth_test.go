package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"vlens-archiver/audit/report"
	"vlens-archiver/internal/telemetry/telemetrytest"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// counts is what a night came to. A place that does not tell one of them leaves it
// nil; counts of zero are left out.
type counts struct {
	Exit     *int
	Outcomes map[store.Outcome]int64 // of the run
	Failures map[store.Class]int64   // of the run: users failed or partial in it
	States   map[store.State]int64   // of all users
	Failing  map[store.Class]int64   // users failed or partial now, without those accepted
	Accepted *int64
	Left     *int64
	Requests *int64 // of the run
}

// checkTruth compares what every place says of a run that just ended with what the
// night must have come to. It is the one comparison for all of them.
func (s *site) checkTruth(night string, want counts, ended ended, heard *monitor, collector *telemetrytest.Collector, users []string) {
	s.t.Helper()
	stated := read[statedRun](ended)
	hook, code := heard.last(s)
	values := collector.Values()
	folder := stated.RunID + "/"
	whole := filepath.Join(s.t.TempDir(), "report.html")
	status := read[statedStatus](s.run("status", "--json").exits(exitDone))
	for place, got := range map[string]counts{
		"exit code":             {Exit: &ended.code},
		"heartbeat":             {Exit: &code},
		"run --json":            ofSummary(stated.Summary),
		"webhook":               ofSummary(hook),
		"summary.json":          ofSummary(parsed[manifest.Summary](s, s.object(folder+"summary.json"))),
		"manifest.jsonl.gz":     s.ofManifest(s.object(folder + "manifest.jsonl.gz")),
		"status":                ofStatus(status),
		"last run of status":    ofRunLine(status.Runs[0]),
		"status --user":         s.ofUsers(users),
		"views of the ledger":   s.ofViews(stated.RunID),
		"metrics":               ofMetrics(values),
		"report about the run":  ofReport(read[report.Page](s.run("report", "--run", stated.RunID, "--out", whole, "--json").exits(exitDone))),
		"report about the time": ofStandingReport(read[report.Page](s.run("report", "--out", whole, "--json").exits(exitDone))),
	} {
		if diff := cmp.Diff(want.as(got), got); diff != "" {
			s.t.Errorf("%s: what must be (-) and %s (+) differ:\n%s", night, place, diff)
		}
	}
}

// as is the truth as far as another place tells it.
func (c counts) as(other counts) counts {
	if other.Exit == nil {
		c.Exit = nil
	}
	if other.Outcomes == nil {
		c.Outcomes = nil
	}
	if other.Failures == nil {
		c.Failures = nil
	}
	if other.States == nil {
		c.States = nil
	}
	if other.Failing == nil {
		c.Failing = nil
	}
	if other.Accepted == nil {
		c.Accepted = nil
	}
	if other.Left == nil {
		c.Left = nil
	}
	if other.Requests == nil {
		c.Requests = nil
	}
	return c
}

// some is a count without the zeros.
func some[K comparable](count map[K]int64) map[K]int64 {
	kept := maps.Clone(count)
	if kept == nil {
		kept = make(map[K]int64)
	}
	maps.DeleteFunc(kept, func(_ K, n int64) bool { return n == 0 })
	return kept
}

func parsed[T any](s *site, text string) (value T) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		s.t.Fatal(err)
	}
	return value
}

func ofSummary(summary manifest.Summary) counts {
	left, requests, states := summary.Users["left"], int64(0), make(map[store.State]int64)
	for _, state := range store.States {
		states[state] = summary.Users[string(state)]
	}
	for _, n := range summary.Requests {
		requests += n
	}
	return counts{Outcomes: some(summary.Outcomes), Failures: some(summary.Failures), States: some(states), Left: &left, Requests: &requests}
}

func (s *site) ofManifest(zipped string) counts {
	s.t.Helper()
	content, err := gzip.NewReader(strings.NewReader(zipped))
	if err != nil {
		s.t.Fatal(err)
	}
	outcomes, failures := make(map[store.Outcome]int64), make(map[store.Class]int64)
	for lines := bufio.NewScanner(content); lines.Scan(); {
		line := parsed[manifest.Line](s, lines.Text())
		outcomes[line.Outcome]++
		if line.Outcome.Incomplete() {
			failures[*line.Class]++
		}
	}
	return counts{Outcomes: outcomes, Failures: failures}
}

func ofStatus(status statedStatus) counts {
	left, accepted := status.Users["left"], status.Users["accepted"]
	states, failing := make(map[store.State]int64), make(map[store.Class]int64)
	for _, state := range store.States {
		states[state] = status.Users[string(state)]
	}
	for _, failure := range status.Failures {
		failing[failure.Class] += failure.Users
	}
	return counts{States: some(states), Failing: failing, Accepted: &accepted, Left: &left}
}

func ofRunLine(line statedRunLine) counts {
	return counts{Outcomes: some(line.Outcomes)}
}

// ofUsers asks for each user alone.
func (s *site) ofUsers(users []string) counts {
	s.t.Helper()
	var accepted int64
	states, failing := make(map[store.State]int64), make(map[store.Class]int64)
	for _, id := range users {
		user := read[statedUser](s.run("status", "--user", id, "--json").exits(exitDone))
		states[user.State]++
		switch {
		case user.Accepted != nil:
			accepted++
		case user.State.Failing():
			failing[user.Class]++
		}
	}
	return counts{States: states, Failing: failing, Accepted: &accepted}
}

func (s *site) ofViews(runID string) counts {
	s.t.Helper()
	var left, accepted int64
	states, failing, outcomes := make(map[store.State]int64), make(map[store.Class]int64), make(map[store.Outcome]int64)
	s.with(s.env["LEDGER_DATABASE_URL"], func(ctx context.Context, conn *pgx.Conn) error {
		for sql, add := range map[string]func(name string, n, of int64){
			`SELECT c.state, c.users, c.users_left FROM archive.coverage AS c`: func(name string, n, of int64) {
				states[store.State(name)] += n
				left += of
			},
			`SELECT f.class, f.users::bigint, 0::bigint FROM archive.failures AS f`: func(name string, n, _ int64) { failing[store.Class(name)] += n },
			`SELECT '', count(*), 0::bigint FROM archive.accepted AS a`:             func(_ string, n, _ int64) { accepted = n },
			`SELECT o.key, o.value::bigint, 0::bigint FROM archive.run_overview AS r, jsonb_each_text(to_jsonb(r)) AS o
			 WHERE r.run_id = '` + runID + `' AND o.key IN ('archived', 'unchanged', 'partial', 'no_images', 'not_found', 'failed')`: func(name string, n, _ int64) { outcomes[store.Outcome(name)] += n },
		} {
			rows, _ := conn.Query(ctx, sql)
			var name string
			var n, of int64
			if _, err := pgx.ForEachRow(rows, []any{&name, &n, &of}, func() error {
				add(name, n, of)
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return counts{States: some(states), Failing: some(failing), Outcomes: some(outcomes), Accepted: &accepted, Left: &left}
}

// ofMetrics are the series of one process: every night has a collector of its own.
func ofMetrics(values map[string]float64) counts {
	c := counts{Outcomes: make(map[store.Outcome]int64), Failures: make(map[store.Class]int64), States: make(map[store.State]int64), Failing: make(map[store.Class]int64)}
	left, accepted, requests := int64(values["vlens_archiver.archive.users.left"]), int64(values["vlens_archiver.archive.users.accepted"]), int64(0)
	c.Left, c.Accepted, c.Requests = &left, &accepted, &requests
	for series, value := range values {
		name, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
		label := func(key string) string {
			for pair := range strings.SplitSeq(labels, ",") {
				if value, found := strings.CutPrefix(pair, key+"="); found {
					return value
				}
			}
			return ""
		}
		switch name {
		case "vlens_archiver.users":
			c.Outcomes[store.Outcome(label("outcome"))] += int64(value)
		case "vlens_archiver.user.failures":
			c.Failures[store.Class(label("class"))] += int64(value)
		case "vlens_archiver.archive.users":
			c.States[store.State(label("state"))] += int64(value)
		case "vlens_archiver.archive.failures":
			c.Failing[store.Class(label("class"))] += int64(value)
		case "vlens_archiver.requests":
			requests += int64(value)
		case "vlens_archiver.runs":
			if code, err := strconv.Atoi(label("exit_code")); err == nil && value > 0 {
				c.Exit = &code
			}
		}
	}
	c.Outcomes, c.Failures, c.States, c.Failing = some(c.Outcomes), some(c.Failures), some(c.States), some(c.Failing)
	return c
}

func ofStandingReport(page report.Page) counts {
	failing := make(map[store.Class]int64)
	for _, failure := range page.Failures {
		failing[failure.Class] = failure.Standing
	}
	return counts{States: some(page.Users.States), Failing: some(failing), Accepted: &page.Users.Accepted, Left: &page.Users.Left}
}

func ofReport(page report.Page) counts {
	c := ofStandingReport(page)
	c.Outcomes, c.Failures = some(page.Work.Outcomes), make(map[store.Class]int64)
	for _, failure := range page.Failures {
		c.Failures[failure.Class] = failure.Attempts
	}
	c.Failures = some(c.Failures)
	return c
}

// last is the last summary and the last exit code that the monitor heard of.
func (m *monitor) last(s *site) (summary manifest.Summary, code int) {
	s.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.summaries) == 0 || len(m.pings) == 0 {
		s.t.Fatal("the monitor heard nothing")
	}
	code, err := strconv.Atoi(m.pings[len(m.pings)-1])
	if err != nil {
		s.t.Error(err)
	}
	return m.summaries[len(m.summaries)-1], code
}
