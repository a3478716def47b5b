package window

import (
	"maps"
	"slices"
)

// Report is what one process tells of itself. It describes the whole of the
// process and not what has changed, so a report may be repeated when nobody
// knows whether the last one was kept.
type Report struct {
	ID string // unique among all processes that ever use the quota
	Limits
	Waiting []int64 // tickets that want a slot, oldest first
	Flying  []int64 // tickets whose request may be under way
	Done    []Done  // tickets whose request has ended since the last kept report
	// Leaving says that this is the last report. Requests still under way then
	// count as ended now.
	Leaving bool
}

// Done is a request that ended Ago before the report, in milliseconds.
type Done struct {
	Ticket int64
	Ago    Instant
}

// Decision is the answer to a report.
type Decision struct {
	// Granted are tickets of Report.Waiting that have a slot now, provided that
	// the state is kept.
	Granted []int64
	// Changed says that the state must be kept; without it nobody else needs to
	// know that this report was made.
	Changed bool
	// Wake is when to report again without news: an ask may be granted then, or
	// the process must be heard. Poll says that Wake is only a guess.
	Wake Instant
	Poll bool
}

// Step takes in the report of one process and grants to that process, and to no
// other, what is its turn.
func (s *State) Step(now Instant, rules Rules, r Report) Decision {
	s.settle(now, rules)
	changed := s.hear(now, r)
	s.forget(now, rules)
	if r.Leaving {
		s.leave(now, r.ID)
		return Decision{Changed: true}
	}

	changed = s.quicken(now, rules) || changed
	me := s.member(r.ID)
	granted, wake, poll := s.grant(now, rules, me)

	beat := rules.Beat
	if len(me.Waits) > 0 {
		beat = rules.WaitBeat
	}
	if changed || len(granted) > 0 || now-me.Seen >= beat {
		changed = true
		me.Seen = now
	}
	if wake == 0 || wake > me.Seen+beat {
		wake, poll = me.Seen+beat, false
	}
	return Decision{Granted: granted, Changed: changed, Wake: wake, Poll: poll}
}

// settle brings the state to now and buries the members who are dead by now.
// What lies in the future, after the clock was set back, is taken as of now:
// that bounds the time for which it holds slots.
func (s *State) settle(now Instant, rules Rules) {
	s.Spent.clamp(now)
	for _, list := range s.Runs {
		list.clamp(now)
	}
	s.Until = min(s.Until, now+rules.LongestPause)
	s.LastGrant = min(s.LastGrant, now)

	for _, m := range s.Members {
		if death := m.Seen + rules.Takeover; death <= now {
			for range m.Holds {
				s.spend(m.Limits, death, 0)
			}
		}
	}
	s.Members = slices.DeleteFunc(s.Members, func(m Member) bool { return m.Seen+rules.Takeover <= now })
	for i := range s.Members {
		s.Members[i].Seen = min(s.Members[i].Seen, now)
	}
}

// forget drops the responses that no window holds any more.
func (s *State) forget(now Instant, rules Rules) {
	past := now - rules.Long - s.inForce().Margin
	s.Spent = s.Spent.after(past)
	for run, list := range s.Runs {
		s.Runs[run] = list.after(past)
	}
	maps.DeleteFunc(s.Runs, func(_ string, list Instants) bool { return len(list) == 0 })
}

// hear makes the member what the report says it is, and reports whether that
// is news. A slot whose request is neither under way nor over was never used: the
// ask was given up at the moment of its grant, or the answer to the report that
// won it was lost. It is free again, and who still waits for it queues again.
func (s *State) hear(now Instant, r Report) bool {
	me := s.member(r.ID)
	if me == nil {
		// New here, or taken for dead: then the requests under way are still
		// under way, and those that ended meanwhile may have arrived after the
		// burial.
		for _, done := range r.Done {
			s.spend(r.Limits, now, done.Ago)
		}
		s.Members = append(s.Members, Member{ID: r.ID, Seen: now, Limits: r.Limits, Holds: r.Flying})
		me = &s.Members[len(s.Members)-1]
		s.enqueue(me, r.Waiting)
		return true
	}

	changed := me.Limits != r.Limits
	me.Limits = r.Limits
	for _, done := range r.Done {
		if slices.Contains(me.Holds, done.Ticket) {
			s.spend(me.Limits, now, done.Ago)
		}
	}
	holds := slices.DeleteFunc(slices.Clone(me.Holds), func(t int64) bool {
		return !slices.Contains(r.Flying, t)
	})
	changed = changed || len(holds) != len(me.Holds)
	me.Holds = holds
	return s.enqueue(me, r.Waiting) || changed
}

// enqueue gives new asks the next places and drops those that were given up.
func (s *State) enqueue(me *Member, waiting []int64) bool {
	places := make([]Place, 0, len(waiting))
	for _, ticket := range waiting {
		i := slices.IndexFunc(me.Waits, func(p Place) bool { return p.Ticket == ticket })
		if i >= 0 {
			places = append(places, me.Waits[i])
			continue
		}
		places = append(places, Place{Ticket: ticket, Order: s.NextOrder})
		s.NextOrder++
	}
	changed := !slices.Equal(places, me.Waits)
	me.Waits = places
	return changed
}

func (s *State) leave(now Instant, id string) {
	me := s.member(id)
	for range me.Holds {
		s.spend(me.Limits, now, 0)
	}
	s.Members = slices.DeleteFunc(s.Members, func(m Member) bool { return m.ID == id })
}
