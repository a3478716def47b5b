package vlenstest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// controlPrefix is where other processes look inside; see the package comment.
const controlPrefix = "/_sim/"

func (s *Server) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/counters", s.serveCounters)
	mux.HandleFunc("GET /_sim/log", s.serveLog)
	mux.HandleFunc("GET /_sim/people", s.servePeople)
	mux.HandleFunc("GET /_sim/users.csv", s.serveUsersCSV)
	mux.HandleFunc("GET /_sim/scenario", s.serveScenario)
	mux.HandleFunc("POST /_sim/scenario", s.acceptScenario)
	return mux
}

type windowView struct {
	Seconds    int `json:"seconds"`
	Limit      int `json:"limit"`
	Peak       int `json:"peak"`
	Violations int `json:"violations"`
}

type countersView struct {
	Requests     int          `json:"requests"`
	InFlightPeak int          `json:"in_flight_peak"`
	Windows      []windowView `json:"windows"`
	Endpoints    []Count      `json:"endpoints"`
}

func (s *Server) serveCounters(w http.ResponseWriter, _ *http.Request) {
	view := countersView{Requests: s.Requests(), InFlightPeak: s.InFlightPeak(), Endpoints: s.Counters()}
	for _, window := range s.Windows() {
		view.Windows = append(view.Windows, windowView{int(window.Length / time.Second), window.Limit, window.Peak, window.Violations})
	}
	writeLines(w, slices.Values([]countersView{view}))
}

func (s *Server) serveLog(w http.ResponseWriter, _ *http.Request) {
	writeLines(w, slices.Values(s.Log()))
}

// personView is a user row and what must become of it.
type personView struct {
	User
	Outcome string       `json:"outcome"`
	Class   string       `json:"class,omitempty"`
	Rival   string       `json:"rival,omitempty"`
	Images  map[Kind]Sum `json:"images,omitempty"`
	Lists   int          `json:"list_requests"`
	Fetches int          `json:"image_requests"`
}

func (s *Server) servePeople(w http.ResponseWriter, r *http.Request) {
	from, n, ok := 1, s.people.size, true
	for name, into := range map[string]*int{"from": &from, "n": &n} {
		if said := r.URL.Query().Get(name); said != "" {
			value, err := strconv.Atoi(said)
			*into, ok = value, ok && err == nil
		}
	}
	if !ok || from < 1 || n < 0 {
		http.Error(w, "from must be at least 1 and n at least 0", http.StatusBadRequest)
		return
	}
	withImages := r.URL.Query().Get("images") == "true"
	scenario := s.scenario.Load()
	writeLines(w, func(yield func(personView) bool) {
		for index := from; index <= s.people.size && index-from < n; index++ {
			view := personView{User: s.user(scenario, index)}
			expected, pictures := s.expect(scenario, index)
			view.Outcome, view.Class, view.Rival = expected.Outcome, expected.Class, expected.Rival
			view.Lists, view.Fetches = s.ListRequests(view.ID), s.ImageRequests(view.ID)
			if withImages {
				view.Images = map[Kind]Sum{}
				for _, p := range pictures {
					view.Images[Kinds[p.kind]] = s.album.sum(p)
				}
			}
			if !yield(view) {
				return
			}
		}
	})
}

func (s *Server) serveUsersCSV(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	// The only error is that the reader has left.
	_ = s.UsersCSV(w)
}

func (s *Server) serveScenario(w http.ResponseWriter, _ *http.Request) {
	data, err := s.Scenario().YAML()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(data)
}

// longestScenario bounds what is read of a posted scenario.
const longestScenario = 8 << 20

func (s *Server) acceptScenario(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestScenario))
	if err != nil {
		http.Error(w, "read the scenario: it is cut or too long", http.StatusBadRequest)
		return
	}
	scenario, err := ParseScenario("(posted)", data)
	if err == nil {
		err = s.SetScenario(scenario)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// writeLines sends one JSON object a line. It stops when the reader has left.
func writeLines[T any](w http.ResponseWriter, values func(yield func(T) bool)) {
	w.Header().Set("Content-Type", "application/jsonl")
	encoder := json.NewEncoder(w)
	for value := range values {
		if err := encoder.Encode(value); err != nil {
			return
		}
	}
}
