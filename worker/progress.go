package worker

import (
	"maps"
	"sync"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// Snapshot is what a worker has done at one moment.
type Snapshot struct {
	Phase    string // open, sync, archive, close
	Started  time.Time
	Due      int64 // users to do when the work began; counted up to a bound
	Users    int64
	Images   int64
	Bytes    int64
	Requests map[string]int64 // by endpoint
	Outcomes map[store.Outcome]int64
}

// TotalRequests is the sum over the endpoints.
func (s Snapshot) TotalRequests() int64 {
	var n int64
	for _, count := range s.Requests {
		n += count
	}
	return n
}

// progress counts. Its methods may be called from any goroutine.
type progress struct {
	mu  sync.Mutex
	now Snapshot
}

func newProgress() *progress {
	return &progress{now: Snapshot{
		Phase:    "open",
		Started:  time.Now(),
		Requests: make(map[string]int64),
		Outcomes: make(map[store.Outcome]int64),
	}}
}

func (p *progress) phase(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Phase = name
}

func (p *progress) due(users int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Due = users
}

func (p *progress) request(info vlens.RequestInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Requests[string(info.Endpoint)]++
}

func (p *progress) image(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Images++
	p.now.Bytes += bytes
}

func (p *progress) user(outcome store.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Users++
	p.now.Outcomes[outcome]++
}

func (p *progress) snapshot() Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.now
	s.Requests = maps.Clone(s.Requests)
	s.Outcomes = maps.Clone(s.Outcomes)
	return s
}
