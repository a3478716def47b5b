// Package health answers the probes of Kubernetes and the like: is the process
// alive, can it work, and how did its last run end.
package health

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// askTimeout bounds the question to the ledger; a kubelet waits for 1 s by default.
const askTimeout = 900 * time.Millisecond

// Board is what is known of this process's runs. Its zero value knows nothing.
type Board struct {
	mu    sync.Mutex
	state state
}

// state is the body of /readyz.
type state struct {
	Ledger  string     `json:"ledger"`   // reachable or away
	RunID   *string    `json:"run_id"`   // in progress
	NextRun *time.Time `json:"next_run"` // of a process that waits for it
	LastRun *endedRun  `json:"last_run"` // of this process
	Halted  *halted    `json:"halted"`   // null while this process works or waits
}

type endedRun struct {
	RunID    string    `json:"run_id"`
	ExitCode int       `json:"exit_code"`
	EndedAt  time.Time `json:"ended_at"`
}

// halted says that this process does nothing until it is started again.
type halted struct {
	ExitCode int       `json:"exit_code"`
	Since    time.Time `json:"since"`
	Next     string    `json:"next"`
}

// Begin notes that this process takes part in a run.
func (b *Board) Begin(runID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state.RunID, b.state.NextRun = &runID, nil
}

// End notes how its part ended.
func (b *Board) End(runID string, exitCode int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state.RunID, b.state.LastRun = nil, &endedRun{runID, exitCode, time.Now().UTC().Truncate(time.Second)}
}

// Wait notes when this process will take part in a run again.
func (b *Board) Wait(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	until = until.UTC()
	b.state.NextRun = &until
}

// Halt notes that this process does nothing any more until a person has acted.
func (b *Board) Halt(exitCode int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state.Halted = &halted{
		ExitCode: exitCode,
		Since:    time.Now().UTC().Truncate(time.Second),
		Next:     "mend what the log says (event schedule_halted), then restart this process",
	}
}

// Handler answers GET /livez with 200 as long as the process serves at all. It
// answers GET /readyz with 200 when ledger returns no error and the process is not
// halted, else with 503, and with what the board knows in the body.
func (b *Board) Handler(ledger func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"process": "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), askTimeout)
		defer cancel()
		err := ledger(ctx)
		b.mu.Lock()
		now := b.state
		b.mu.Unlock()
		status := http.StatusOK
		now.Ledger = "reachable"
		if err != nil { // not shown: it may quote addresses
			status, now.Ledger = http.StatusServiceUnavailable, "away"
		}
		if now.Halted != nil {
			status = http.StatusServiceUnavailable
		}
		answer(w, status, now)
	})
	return mux
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
