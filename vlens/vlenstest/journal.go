package vlenstest

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Entry is one request in the log. It holds no value a client sent: neither
// query nor body nor header values, and for a path that is no endpoint only
// that it was unknown.
type Entry struct {
	Seq      int       `json:"seq"` // 1 for the first request
	Time     time.Time `json:"time"`
	Method   string    `json:"method"`
	Endpoint Endpoint  `json:"endpoint"`
	Headers  []string  `json:"headers"` // names, sorted
	Status   int       `json:"status"`  // 0 while the answer is under way, or when the client left first
	Fault    string    `json:"fault,omitempty"`
}

// logEntries bounds the log; older entries are overwritten.
const logEntries = 10_000

// Count is how often an endpoint gave a status.
type Count struct {
	Endpoint Endpoint `json:"endpoint"`
	Status   int      `json:"status"`
	Requests int      `json:"requests"`
}

// journal is what the server remembers of the requests it got.
type journal struct {
	mu       sync.Mutex
	requests int
	inFlight int
	peak     int
	ring     []Entry // entry n is at (n-1) modulo logEntries
	counts   map[Endpoint]map[int]int
	lists    map[int]int // by person
	images   map[int]int
}

func newJournal() *journal {
	return &journal{counts: map[Endpoint]map[int]int{}, lists: map[int]int{}, images: map[int]int{}}
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch}

// arrive logs a request and returns its number.
func (j *journal) arrive(req *request) int {
	entry := Entry{Time: req.arrived, Method: req.Method, Endpoint: req.endpoint, Headers: slices.Sorted(maps.Keys(req.Header))}
	if !slices.Contains(methods, req.Method) {
		entry.Method = "other"
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.requests++
	j.inFlight++
	j.peak = max(j.peak, j.inFlight)
	entry.Seq = j.requests
	if len(j.ring) < logEntries {
		j.ring = append(j.ring, entry)
	} else {
		j.ring[(entry.Seq-1)%logEntries] = entry
	}
	return entry.Seq
}

func (j *journal) leave(req *request, status int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.inFlight--
	if entry := &j.ring[(req.number-1)%logEntries]; entry.Seq == req.number {
		entry.Status, entry.Fault = status, req.fault
	}
	if j.counts[req.endpoint] == nil {
		j.counts[req.endpoint] = map[int]int{}
	}
	j.counts[req.endpoint][status]++
}

func (j *journal) list(index int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lists[index]++
}

func (j *journal) image(index int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.images[index]++
}

// Log is the last 10,000 requests, oldest first.
func (s *Server) Log() []Entry {
	j := s.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.ring) < logEntries {
		return slices.Clone(j.ring)
	}
	oldest := j.requests % logEntries
	return slices.Concat(j.ring[oldest:], j.ring[:oldest])
}

// Counters are the finished requests by endpoint and status, sorted.
func (s *Server) Counters() []Count {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	var list []Count
	for _, endpoint := range slices.Sorted(maps.Keys(s.journal.counts)) {
		byStatus := s.journal.counts[endpoint]
		for _, status := range slices.Sorted(maps.Keys(byStatus)) {
			list = append(list, Count{endpoint, status, byStatus[status]})
		}
	}
	return list
}

// Requests is how many requests have arrived; with endpoints, how many of
// those at them are finished.
func (s *Server) Requests(only ...Endpoint) int {
	if len(only) == 0 {
		s.journal.mu.Lock()
		defer s.journal.mu.Unlock()
		return s.journal.requests
	}
	total := 0
	for _, count := range s.Counters() {
		if slices.Contains(only, count.Endpoint) {
			total += count.Requests
		}
	}
	return total
}

// ListRequests is how often the listing of a user was asked for, by any
// identifier the vendor knows them by. Requests refused for their credentials
// or by the quota reached no user and are not counted; those that met a fault
// are.
func (s *Server) ListRequests(id string) int {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.journal.lists[s.people.indexOfID(id)]
}

// ImageRequests is how often an image of a user's transactions was asked for,
// counted as ListRequests counts.
func (s *Server) ImageRequests(id string) int {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.journal.images[s.people.indexOfID(id)]
}

// InFlightPeak is the largest number of requests under way at one time.
func (s *Server) InFlightPeak() int {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.journal.peak
}

// Windows are the two windows of the tenant's quota: a second, a minute.
func (s *Server) Windows() [2]Window { return s.tenants[0].quota.seen() }
