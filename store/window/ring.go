package window

import "math"

// ring is one sliding window in force at some moment.
type ring struct {
	limit  int
	span   Instant  // length and margin
	spent  Instants // responses that the window still holds
	flying int      // slots without a response
}

func newRing(limit int, span, now Instant, spent Instants, flying int) ring {
	return ring{limit: limit, span: span, spent: spent.after(now - span), flying: flying}
}

func (r ring) used() int { return len(r.spent) + r.flying }

// full reports whether no slot is left once so many more are taken.
func (r ring) full(taken int) bool {
	return r.limit > 0 && r.used()+taken >= r.limit
}

// opens is the earliest instant at which so many slots may be free, known from
// the responses so far. It is unknown when that depends on requests under way
// only; then not even a response just now could free one within the span.
func (r ring) opens(slots int) (at Instant, known bool) {
	if r.limit == 0 {
		return math.MinInt64, true
	}
	missing := r.used() + slots - r.limit
	switch {
	case missing <= 0:
		return math.MinInt64, true
	case len(r.spent) == 0:
		return 0, false
	default:
		return r.spent[min(missing, len(r.spent))-1] + r.span, true
	}
}

// inForce is the strictest of what the live members were told. Its
// PerLongOfRun is the strictest of all runs.
func (s *State) inForce() Limits {
	var strict Limits
	for _, m := range s.Members {
		strict.PerShort = stricter(strict.PerShort, m.PerShort)
		strict.PerLong = stricter(strict.PerLong, m.PerLong)
		strict.PerLongOfRun = stricter(strict.PerLongOfRun, m.PerLongOfRun)
		strict.Margin = max(strict.Margin, m.Margin)
	}
	return strict
}

// rings are the windows that bind everybody.
func (s *State) rings(now Instant, rules Rules) (short, long ring) {
	limits, flying := s.inForce(), 0
	for _, m := range s.Members {
		flying += len(m.Holds)
	}
	short = newRing(limits.PerShort, rules.Short+limits.Margin, now, s.Spent, flying)
	long = newRing(limits.PerLong, rules.Long+limits.Margin, now, s.Spent, flying)
	return short, long
}

// runRing is the window that binds the members of one run; "" stands for those
// without a run's limit and has none.
func (s *State) runRing(now Instant, rules Rules, run string) ring {
	limit, flying := 0, 0
	for _, m := range s.Members {
		if m.Run == run {
			limit = stricter(limit, m.PerLongOfRun)
			flying += len(m.Holds)
		}
	}
	return newRing(limit, rules.Long+s.inForce().Margin, now, s.Runs[run], flying)
}

// stricter is the smaller of two limits, of which 0 is none.
func stricter(a, b int) int {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}
