package window_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"

	. "vlens-archiver/store/window"
)

// fleet runs processes under one quota on a simulated clock, in milliseconds.
// It knows nothing of how grants are decided: it asks, sends and counts.
type fleet struct {
	fatalf  func(format string, args ...any)
	rules   Rules
	random  *rand.Rand
	now     Instant
	state   []byte // as it would be kept
	crews   []*crew
	arrived []Instant // every request as the vendor saw it
	ofRun   map[string][]Instant
	tickets int64
}

// crew is one process: so many workers who ask, send and ask again.
type crew struct {
	id      string
	limits  Limits
	workers int
	latency Instant // longest time from sending to response
	lag     Instant // longest time from news to the step that tells it
	cancel  float64 // share of asks that are given up
	lose    float64 // share of steps whose answer is lost after they were kept

	dead    bool
	waiting []int64
	flying  map[int64]Instant // ticket to the instant of its response
	ended   map[int64]Instant // responses not told yet
	due     Instant           // next step
	grants  []Instant
}

func (f *fleet) join(c *crew) {
	c.flying, c.ended = map[int64]Instant{}, map[int64]Instant{}
	c.due = f.now + f.upTo(c.lag)
	f.crews = append(f.crews, c)
}

func (f *fleet) upTo(n Instant) Instant { return Instant(f.random.Int64N(int64(n) + 1)) }

// run lets the fleet work until the given instant.
func (f *fleet) run(until Instant) {
	for f.now < until {
		next := until
		for _, c := range f.crews {
			if c.dead {
				continue
			}
			next = min(next, max(c.due, f.now+1))
			for _, end := range c.flying {
				next = min(next, max(end, f.now+1))
			}
		}
		f.now = next
		for _, c := range f.crews {
			if !c.dead {
				f.respond(c)
			}
			if !c.dead && c.due <= f.now {
				f.step(c)
			}
		}
	}
}

func (f *fleet) respond(c *crew) {
	for _, ticket := range sortedKeys(c.flying) {
		if c.flying[ticket] <= f.now {
			c.ended[ticket] = c.flying[ticket]
			delete(c.flying, ticket)
			c.due = min(c.due, f.now+f.upTo(f.rules.Poll))
		}
	}
	for len(c.waiting)+len(c.flying) < c.workers {
		f.tickets++
		c.waiting = append(c.waiting, f.tickets)
		c.due = min(c.due, f.now+f.upTo(c.lag))
	}
}

func (f *fleet) step(c *crew) {
	if len(c.waiting) > 0 && f.random.Float64() < c.cancel {
		i := f.random.IntN(len(c.waiting))
		c.waiting = slices.Delete(c.waiting, i, i+1)
	}
	report := Report{ID: c.id, Limits: c.limits, Waiting: slices.Clone(c.waiting), Flying: sortedKeys(c.flying)}
	for _, ticket := range sortedKeys(c.ended) {
		report.Done = append(report.Done, Done{Ticket: ticket, Ago: f.now - c.ended[ticket]})
	}

	var state State
	if f.state != nil {
		if err := json.Unmarshal(f.state, &state); err != nil {
			f.fatalf("read state: %v", err)
		}
	}
	decision := state.Step(f.now, f.rules, report)
	if decision.Changed {
		kept, err := json.Marshal(&state)
		if err != nil {
			f.fatalf("keep state: %v", err)
		}
		f.state = kept
	}
	if decision.Wake <= f.now {
		f.fatalf("%s is to wake at %d, which is not after %d", c.id, decision.Wake, f.now)
	}
	c.due = decision.Wake + f.upTo(c.lag)
	if f.random.Float64() < c.lose {
		c.due = f.now + 1 + f.upTo(c.lag)
		return
	}
	c.ended = map[int64]Instant{}
	for _, ticket := range decision.Granted {
		f.send(c, ticket)
	}
}

// send lets the request arrive anywhere between grant and response.
func (f *fleet) send(c *crew, ticket int64) {
	i := slices.Index(c.waiting, ticket)
	if i < 0 {
		f.fatalf("%s was granted %d, which it did not ask for", c.id, ticket)
	}
	c.waiting = slices.Delete(c.waiting, i, i+1)
	latency := f.upTo(c.latency)
	c.flying[ticket] = f.now + latency
	arrival := f.now + f.upTo(latency)
	c.grants = append(c.grants, f.now)
	f.arrived = append(f.arrived, arrival)
	if c.limits.Run != "" {
		f.ofRun[c.limits.Run] = append(f.ofRun[c.limits.Run], arrival)
	}
}

func sortedKeys(m map[int64]Instant) []int64 {
	keys := make([]int64, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// most is the largest number of arrivals in any window of the length.
func most(arrivals []Instant, length Instant) int {
	arrivals = slices.Sorted(slices.Values(arrivals))
	best, first := 0, 0
	for i, arrival := range arrivals {
		for arrival-arrivals[first] > length {
			first++
		}
		best = max(best, i-first+1)
	}
	return best
}

// between is the number of instants in the half-open interval.
func between(instants []Instant, from, to Instant) int {
	n := 0
	for _, instant := range instants {
		if instant >= from && instant < to {
			n++
		}
	}
	return n
}

func newFleet(fatalf func(string, ...any), seed uint64) *fleet {
	return &fleet{
		fatalf: fatalf,
		rules:  Standard,
		random: rand.New(rand.NewPCG(seed, seed)),
		now:    1_700_000_000_000,
		ofRun:  map[string][]Instant{},
	}
}
