package notify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/store"
)

// The secret part of every URL here.
const token = "5f0c7e1a-token"

// receiver is a monitor and a webhook.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	heard  []string // "METHOD /path body"
	rids   map[string]bool
	answer func(n int, w http.ResponseWriter, r *http.Request) // to the nth request, from 0
}

func newReceiver(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	rec := &receiver{rids: make(map[string]bool), answer: answer}
	rec.Server = httptest.NewServer(rec)
	t.Cleanup(rec.Close)
	return rec
}

func (rec *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	rec.mu.Lock()
	n := len(rec.heard)
	rec.heard = append(rec.heard, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.Path, body)))
	if rid := r.URL.Query().Get("rid"); rid != "" {
		rec.rids[rid] = true
	}
	rec.mu.Unlock()
	if rec.answer != nil {
		rec.answer(n, w, r)
	}
}

func (rec *receiver) requests() []string {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.heard)
}

// tell is a part in a run that ends with the exit status. It returns the log,
// which must not have the token or the host's address.
func tell(t *testing.T, sender *sender, heartbeat, webhook string, exitStatus int, summaries ...string) string {
	t.Helper()
	var log bytes.Buffer
	n := start(t.Context(), Config{
		HeartbeatURL: store.Sensitive(heartbeat), WebhookURL: store.Sensitive(webhook),
		Log: slog.New(slog.NewJSONHandler(&log, nil)), UserAgent: "vlens-archiver/test",
	}, sender)
	<-n.started
	var bodies [][]byte
	for _, summary := range summaries {
		bodies = append(bodies, []byte(summary))
	}
	n.End(t.Context(), exitStatus, bodies...)
	for _, secret := range []string{token, "127.0.0.1", "localhost", "invalid", "http:"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q: %s", secret, log.String())
		}
	}
	return log.String()
}

// quick is a sender that does not wait between attempts.
func quick() *sender {
	s := newSender()
	s.waits = []time.Duration{0, 0}
	return s
}

func TestHeartbeatAndWebhook(t *testing.T) {
	t.Parallel()
	rec := newReceiver(t, nil)
	log := tell(t, quick(), rec.URL+"/ping/"+token+"?create=1", rec.URL+"/hook/"+token, 3, `{"run_id":"a"}`, `{"run_id":"b"}`)
	want := []string{
		"GET /ping/" + token + "/start", "GET /ping/" + token + "/3",
		"POST /hook/" + token + ` {"run_id":"a"}`, "POST /hook/" + token + ` {"run_id":"b"}`,
	}
	if got := rec.requests(); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
	if len(rec.rids) != 1 {
		t.Errorf("start and end have the ids %v, want one", rec.rids)
	}
	for rid := range rec.rids {
		if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(rid) {
			t.Errorf("rid %q is no UUID", rid)
		}
	}
	if log != "" {
		t.Errorf("log: %s", log)
	}
}

func TestNobodyIsTold(t *testing.T) {
	t.Parallel()
	if log := tell(t, quick(), "", "", 0, "{}"); log != "" {
		t.Errorf("log: %s", log)
	}
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	status := func(codes ...int) func(int, http.ResponseWriter, *http.Request) {
		return func(n int, w http.ResponseWriter, r *http.Request) {
			if codes[min(n, len(codes)-1)] == http.StatusFound {
				http.Redirect(w, r, "/elsewhere", http.StatusFound)
				return
			}
			w.WriteHeader(codes[min(n, len(codes)-1)])
		}
	}
	for name, c := range map[string]struct {
		answer   func(int, http.ResponseWriter, *http.Request)
		requests int
		log      string
	}{
		"500, then well": {status(500, 200), 2, ""},
		"throttled":      {status(429, 408, 204), 3, ""},
		"500 for ever":   {status(500), 3, "answered with status 500"},
		"no such check":  {status(404), 1, "answered with status 404"},
		"elsewhere":      {status(302), 1, "give the URL it redirects to"},
		"breaks off": {func(_ int, w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		}, 3, "the connection failed"},
		"an endless answer": {func(_ int, w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		}, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := newReceiver(t, c.answer)
			log := tell(t, quick(), "", rec.URL+"/"+token, 0, "{}")
			if got := rec.requests(); len(got) != c.requests {
				t.Errorf("%d requests, want %d", len(got), c.requests)
			}
			if c.log == "" && log != "" || !strings.Contains(log, c.log) {
				t.Errorf("log %q, want %q", log, c.log)
			}
			if log != "" && !strings.Contains(log, `"event":"notify_failed","target":"webhook"`) {
				t.Errorf("log without its event: %s", log)
			}
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + listener.Addr().String() + "/" + token
	listener.Close()
	if log := tell(t, quick(), dead, dead, 0, "{}"); strings.Count(log, "connection refused") != 3 {
		t.Errorf("log: %s", log)
	}
	if log := tell(t, quick(), "http://nobody.invalid/"+token, "", 0); !strings.Contains(log, "no answer") && !strings.Contains(log, "host name is unknown") {
		t.Errorf("log: %s", log)
	}

	// One that accepts and never answers.
	silent := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	sender := quick()
	sender.client.Timeout = 50 * time.Millisecond
	if log := tell(t, sender, silent.URL+"/"+token, "", 1); strings.Count(log, "no answer in time") != 2 {
		t.Errorf("log: %s", log)
	}
	if got := len(silent.requests()); got != 6 {
		t.Errorf("%d requests, want three for the start and three for the end", got)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(server.Close)
	if log := tell(t, quick(), server.URL+"/"+token, "", 0); !strings.Contains(log, "certificate is not trusted") {
		t.Errorf("log: %s", log)
	}
}

// slowly is a transport whose answers take a time that no clock measures.
type slowly struct {
	takes  time.Duration
	status int
	heard  []string // when each answer was given, and to what
}

func (s *slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	timer := time.NewTimer(s.takes)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
	s.heard = append(s.heard, fmt.Sprintf("%s after %s", path.Base(r.URL.Path), time.Since(began)))
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: s.status, Body: http.NoBody, Request: r}, nil
}

func TestEndWaitsForTheStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		dropped bool // the run, by a second signal
		want    []string
		lasts   time.Duration
	}{
		"well":       {http.StatusOK, false, []string{"start after 3s", "1 after 3s"}, 6 * time.Second},
		"in trouble": {http.StatusInternalServerError, false, []string{"start after 3s", "1 after 3s", "1 after 3s"}, 13 * time.Second},
		"dropped":    {http.StatusInternalServerError, true, []string{"start after 0s", "1 after 3s"}, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := &slowly{takes: 3 * time.Second, status: c.status}
				sender := newSender()
				sender.client.Transport = transport
				sender.waits = []time.Duration{time.Second, 5 * time.Second}
				ctx, drop := context.WithCancel(t.Context())
				defer drop()
				began := time.Now()
				n := start(ctx, Config{HeartbeatURL: "https://monitor.example/" + token, Log: slog.New(slog.DiscardHandler)}, sender)
				synctest.Wait()
				if c.dropped {
					drop()
				}
				n.End(ctx, 1)
				if !slices.Equal(transport.heard, c.want) {
					t.Errorf("heard %q, want %q", transport.heard, c.want)
				}
				if lasted := time.Since(began); lasted != c.lasts {
					t.Errorf("the end came after %s, want %s", lasted, c.lasts)
				}
			})
		})
	}
}
