package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"vlens-archiver/internal/health"
)

func ask(t *testing.T, handler http.Handler, method, path string) (status int, body map[string]any) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusServiceUnavailable {
		if err := json.Unmarshal(text, &body); err != nil {
			t.Errorf("%s: %v: %s", path, err, text)
		}
	}
	return response.StatusCode, body
}

func TestProbes(t *testing.T) {
	t.Parallel()
	var board health.Board
	there := board.Handler(func(context.Context) error { return nil })

	if status, body := ask(t, there, http.MethodGet, "/livez"); status != 200 || body["process"] != "alive" {
		t.Errorf("livez: %d %v", status, body)
	}
	if status, body := ask(t, there, http.MethodGet, "/readyz"); status != 200 || body["ledger"] != "reachable" || body["run_id"] != nil || body["last_run"] != nil || body["next_run"] != nil {
		t.Errorf("readyz of a process that has done nothing: %d %v", status, body)
	}
	board.Begin("nightly-1")
	if status, body := ask(t, there, http.MethodGet, "/readyz"); status != 200 || body["run_id"] != "nightly-1" {
		t.Errorf("readyz during a run: %d %v", status, body)
	}
	board.End("nightly-1", 3)
	board.Wait(time.Date(2026, 11, 24, 22, 0, 0, 0, time.FixedZone("", 7200)))
	status, body := ask(t, there, http.MethodGet, "/readyz")
	last, _ := body["last_run"].(map[string]any)
	if status != 200 || body["run_id"] != nil || body["next_run"] != "2026-11-24T20:00:00Z" || last["run_id"] != "nightly-1" || last["exit_code"] != 3.0 || last["ended_at"] == nil {
		t.Errorf("readyz after a run: %d %v", status, body)
	}
	board.Begin("nightly-2")
	if _, body := ask(t, there, http.MethodGet, "/readyz"); body["next_run"] != nil {
		t.Errorf("a run is planned while one is under way: %v", body)
	}

	for path, want := range map[string]int{"/": 404, "/metrics": 404} {
		if status, _ := ask(t, there, http.MethodGet, path); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := ask(t, there, http.MethodPost, "/readyz"); status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", status)
	}
}

func TestNotReadyWithoutALedger(t *testing.T) {
	t.Parallel()
	var board health.Board
	away := board.Handler(func(context.Context) error { return errors.New("connect to 10.0.0.1: refused") })
	if status, body := ask(t, away, http.MethodGet, "/readyz"); status != 503 || body["ledger"] != "away" || len(body) != 5 {
		t.Errorf("readyz: %d %v", status, body)
	}
	if status, _ := ask(t, away, http.MethodGet, "/livez"); status != 200 {
		t.Errorf("livez: %d: a ledger that is away is no reason to be restarted", status)
	}
	silent := board.Handler(func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if status, _ := ask(t, silent, http.MethodGet, "/readyz"); status != 503 {
		t.Errorf("readyz with a ledger that does not answer: %d", status)
	}
}
