package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"vlens-archiver/internal/telemetry/telemetrytest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// pushTo makes the site push to a collector at the URL.
func (s *site) pushTo(endpoint string) *site {
	s.t.Helper()
	s.env["OTLP_ENDPOINT"] = endpoint
	s.configure("telemetry: {otlp_endpoint: \"${OTLP_ENDPOINT}\"}\n")
	return s
}

// mixedSite is a site with users who end in different ways.
func mixedSite(t *testing.T) *site {
	t.Helper()
	return newSite(t, vlenstest.Options{People: 9, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000002": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "not_image"}},
		"u-000003": {Row: "no_identifier"},
		"u-000004": {Faults: map[vlenstest.Endpoint]string{vlenstest.List: "error"}},
	}}}).migrated()
}

// The program is gone a second after it began; what it did is told nevertheless,
// and it is the same that the summary tells.
func TestFiguresOfAShortRunReachTheCollector(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"gRPC", "HTTP"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			collector := telemetrytest.NewCollector(t)
			endpoint := map[string]string{"gRPC": collector.GRPC, "HTTP": collector.HTTP}[protocol]
			s := mixedSite(t).pushTo(endpoint)
			e := s.start("run", "--run-id", "nightly-1", "--json").wait().exits(exitUsersFailed)
			if strings.Contains(e.stderr, "telemetry_failed") {
				t.Errorf("the collector was there: %s", e.stderr)
			}
			summary := read[statedRun](e)
			checkFigures(t, collector, summary)
			checkTrace(t, collector, 9)

			values := collector.Values()
			if got := values["vlens_archiver.runs{exit_code=3,kind=scheduled,status=closed}"]; got != 1 {
				t.Errorf("%v runs ended with 3", got)
			}
			if at := values["vlens_archiver.last_success.timestamp"]; at != unixSeconds(*summary.EndedAt) {
				t.Errorf("last success at %v, the run ended at %v", at, unixSeconds(*summary.EndedAt))
			}
			// What begins at 0 was pushed before anything was done, so that the
			// rise is seen.
			if n := collector.Pushes("archive"); n < 2 {
				t.Errorf("%d pushes: the first figures and the last ones are two", n)
			}
		})
	}
}

func unixSeconds(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }

// checkFigures compares every figure of a summary with what the collector got.
func checkFigures(t *testing.T, collector *telemetrytest.Collector, summary statedRun) {
	t.Helper()
	values := collector.Values()
	same := func(series string, want int64) {
		t.Helper()
		got, told := values[series]
		if !told || got != float64(want) {
			t.Errorf("%s is %v (told: %t), the summary says %d", series, got, told, want)
		}
	}
	for _, outcome := range store.Outcomes {
		same(fmt.Sprintf("vlens_archiver.users{outcome=%s}", outcome), summary.Outcomes[outcome])
	}
	for _, class := range store.Classes {
		same(fmt.Sprintf("vlens_archiver.user.failures{class=%s}", class.Class), summary.Failures[class.Class])
		same(fmt.Sprintf("vlens_archiver.archive.failures{class=%s}", class.Class), summary.Failures[class.Class])
	}
	for _, state := range store.States {
		same(fmt.Sprintf("vlens_archiver.archive.users{state=%s}", state), summary.Users[string(state)])
	}
	same("vlens_archiver.images", summary.Images)
	same("vlens_archiver.image.bytes", summary.Bytes)
	same("vlens_archiver.archive.users.left", summary.Users["left"])

	requests, timed := make(map[string]int64), make(map[string]int64)
	for series, n := range values {
		if labels, ok := strings.CutPrefix(series, "vlens_archiver.requests{endpoint="); ok {
			endpoint, _, _ := strings.Cut(labels, ",")
			requests[endpoint] += int64(n)
		}
		if labels, ok := strings.CutPrefix(series, "vlens_archiver.request.duration.count{endpoint="); ok {
			timed[strings.TrimSuffix(labels, "}")] += int64(n)
		}
	}
	for endpoint, n := range summary.Requests {
		if requests[endpoint] != n || timed[endpoint] != n {
			t.Errorf("%d requests to %s, %d timed; the summary says %d", requests[endpoint], endpoint, timed[endpoint], n)
		}
	}
	var users int64
	for _, n := range summary.Outcomes {
		users += n
	}
	same("vlens_archiver.ledger.commit.duration.count{result=committed}", users)
}

// checkTrace looks at a run in which every user was traced.
func checkTrace(t *testing.T, collector *telemetrytest.Collector, users int) {
	t.Helper()
	spans := collector.Spans()
	byID := make(map[string]*tracepb.Span)
	names := make(map[string]int)
	for _, span := range spans {
		byID[string(span.GetSpanId())] = span
		names[span.GetName()]++
		if string(span.GetTraceId()) != string(spans[0].GetTraceId()) {
			t.Errorf("span %s is of another trace", span.GetName())
		}
	}
	for name, parent := range map[string]string{
		"run": "", "open": "run", "sync": "run", "archive": "run", "close": "run",
		"user": "archive", "list": "user", "fetch": "user", "put": "user", "record": "user", "commit": "user",
	} {
		found := 0
		for _, span := range spans {
			if span.GetName() != name {
				continue
			}
			found++
			if got := byID[string(span.GetParentSpanId())].GetName(); got != parent {
				t.Errorf("span %s is within %q, want %q", name, got, parent)
			}
			if span.GetEndTimeUnixNano() < span.GetStartTimeUnixNano() {
				t.Errorf("span %s ends before it begins", name)
			}
		}
		if found == 0 {
			t.Errorf("the trace has no span %s", name)
		}
	}
	if names["user"] != users || names["commit"] != users || names["run"] != 1 {
		t.Errorf("spans: %v, want %d users in one run", names, users)
	}
}

// A process that fails, or is told to stop, says so as well.
func TestFailureAndStopReachTheCollector(t *testing.T) {
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		collector := telemetrytest.NewCollector(t)
		s := newSite(t, vlenstest.Options{People: 3, Scenario: vlenstest.Scenario{Auth: vlenstest.AuthRules{Permission: "missing"}}}).migrated().pushTo(collector.GRPC)
		s.run("run").exits(exitDenied)
		values := collector.Values()
		if values["vlens_archiver.runs{exit_code=5,kind=manual,status=open}"] != 1 || values["vlens_archiver.archive.users{state=pending}"] != 1 || values["vlens_archiver.archive.failures{class=forbidden}"] != 2 ||
			values["vlens_archiver.archive.oldest_unarchived.age{state=pending}"] <= 0 || values["vlens_archiver.last_success.timestamp"] != 0 {
			t.Errorf("after a refusal: %v", values)
		}
	})
	t.Run("ledger away", func(t *testing.T) {
		t.Parallel()
		collector := telemetrytest.NewCollector(t)
		s := newSite(t, vlenstest.Options{People: 1}).pushTo(collector.GRPC)
		s.env["LEDGER_DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/none?sslmode=disable"
		s.run("run").exits(exitFailed)
		if values := collector.Values(); values["vlens_archiver.runs{exit_code=1,kind=manual,status=not_opened}"] != 1 {
			t.Errorf("without a ledger: %v", values)
		}
	})
	t.Run("stopped", func(t *testing.T) {
		t.Parallel()
		collector := telemetrytest.NewCollector(t)
		s := newSite(t, vlenstest.Options{People: 60, Scenario: vlenstest.Scenario{Latency: 50 * time.Millisecond}}).migrated().pushTo(collector.GRPC)
		process := s.start("run", "--run-id", "nightly", "--json")
		s.awaitRequests(vlenstest.Image, 10)
		if err := process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		checkFigures(t, collector, read[statedRun](process.wait().exits(143)))
		if collector.Values()["vlens_archiver.runs{exit_code=143,kind=scheduled,status=open}"] != 1 {
			t.Errorf("after a stop: %v", collector.Values())
		}
	})
}

// Two processes of one run are one trace, and two series of what each did.
func TestProcessesOfARunShareATrace(t *testing.T) {
	t.Parallel()
	collector := telemetrytest.NewCollector(t)
	s := newSite(t, vlenstest.Options{People: 4}).migrated().pushTo(collector.GRPC)
	s.run("run", "--run-id", "nightly", "--limit", "2").exits(exitDone)
	s.run("run", "--run-id", "nightly", "--limit", "2").exits(exitDone)
	traces := make(map[string]bool)
	for _, span := range collector.Spans() {
		traces[string(span.GetTraceId())] = true
	}
	if len(traces) != 1 {
		t.Errorf("%d traces of one run", len(traces))
	}
	s.run("run").exits(exitDone)
	if got := collector.Values()["vlens_archiver.users{outcome=archived}"]; got != 4 {
		t.Errorf("%v users were archived by all processes together, want 4", got)
	}
	if got := collector.Values()["vlens_archiver.archive.users{state=archived}"]; got != 4 {
		t.Errorf("the archive has %v users, want 4: its figures are one series whoever tells them", got)
	}
}

// A collector that is away, refuses, or never answers changes nothing: the exit
// code is the run's, one line says it, and the process leaves.
func TestACollectorThatIsAwayChangesNothing(t *testing.T) {
	t.Parallel()
	closed := func(t *testing.T) string {
		listener := loopback(t)
		listener.Close()
		return "http://" + listener.Addr().String()
	}
	for name, endpoint := range map[string]func(*testing.T) string{
		"nobody there by gRPC":  closed,
		"nobody there by HTTP":  func(t *testing.T) string { return closed(t) + "/otlp" },
		"silence by gRPC":       func(t *testing.T) string { return "http://" + mute(t) },
		"silence by HTTP":       func(t *testing.T) string { return "http://" + mute(t) + "/otlp" },
		"no such host by https": func(*testing.T) string { return "https://collector.invalid:4317" },
		"refusal": func(t *testing.T) string {
			collector := telemetrytest.NewCollector(t)
			collector.Refuse(errors.New("quota of the collector is used up"))
			return collector.GRPC
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mixedSite(t).pushTo(endpoint(t))
			process := s.start("run", "--json")
			process.await(process.stderr, `"event":"run_left"`)
			left := time.Now()
			e := process.wait().exits(exitUsersFailed)
			// Twice the bound of a push, since two things are waited for, and
			// plenty for a busy machine.
			if took := time.Since(left); took > 20*time.Second {
				t.Errorf("leaving took %s", took)
			}
			if n := strings.Count(e.stderr, `"event":"telemetry_failed"`); n != 1 {
				t.Errorf("%d warnings, want 1: %s", n, e.stderr)
			}
			if summary := read[statedRun](e); summary.Outcomes[store.OutcomeArchived] != 6 {
				t.Errorf("outcomes: %v", summary.Outcomes)
			}
		})
	}
}

// mute is the address of a server that takes connections and says nothing.
func mute(t *testing.T) string {
	t.Helper()
	listener := loopback(t)
	var open []net.Conn
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			open = append(open, connection)
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-ended
		for _, connection := range open {
			connection.Close()
		}
	})
	return listener.Addr().String()
}

func loopback(t *testing.T) net.Listener {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// A long run can be watched by Prometheus, at the configured address only and
// while it lasts.
func TestMetricsAreServedWhileTheRunLasts(t *testing.T) {
	t.Parallel()
	listener := loopback(t)
	address := listener.Addr().String()
	s := newSite(t, vlenstest.Options{People: 60, Scenario: vlenstest.Scenario{Latency: 50 * time.Millisecond}}).migrated()
	s.env["METRICS_LISTEN"] = address
	s.configure("telemetry: {metrics_listen: \"${METRICS_LISTEN}\"}\n")
	s.run("run").exits(exitInvalid).says("telemetry.metrics_listen").says(address).says("choose another port")
	if n := s.vlens.Requests(); n != 0 {
		t.Errorf("%d requests to Vlens with a configuration that does not fit", n)
	}
	listener.Close()

	process := s.start("run", "--json")
	s.awaitRequests(vlenstest.Image, 10)
	page := scrape(t, address)
	for _, want := range []string{
		"# TYPE vlens_archiver_users_total counter\n",
		`vlens_archiver_requests_total{endpoint="list",fault="none",status="200"} `,
		"# TYPE vlens_archiver_request_duration_seconds histogram\n",
		`vlens_archiver_archive_users{state="pending"} `,
		"vlens_archiver_last_success_timestamp_seconds 0\n",
		"vlens_archiver_build_info{",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	process.wait().exits(exitDone)
	if connection, err := net.Dial("tcp", address); err == nil {
		connection.Close()
		t.Error("the port is still open")
	}
}

func scrape(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", response.StatusCode, err)
	}
	return string(page)
}
