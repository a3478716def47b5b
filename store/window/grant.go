package window

import (
	"cmp"
	"slices"
)

// ask is one place of the queue with its member.
type ask struct {
	Place
	member *Member
}

// queue is every ask of a member that is there, in the order of arrival. The
// member that reports is there, however long it was silent before.
func (s *State) queue(now Instant, rules Rules, me *Member) []ask {
	var queue []ask
	for i := range s.Members {
		m := &s.Members[i]
		if m != me && now-m.Seen > rules.Absent {
			continue
		}
		for _, place := range m.Waits {
			queue = append(queue, ask{place, m})
		}
	}
	slices.SortFunc(queue, func(a, b ask) int { return cmp.Compare(a.Order, b.Order) })
	return queue
}

// turns walks the queue. It counts how many slots the asks so far take up, also
// those of others: their process takes its slots itself when it wakes.
type turns struct {
	now         Instant
	rules       Rules
	until       Instant // no grants before
	short, long ring
	pace        pace
	runs        map[string]ring
	taken       int
	takenOfRun  map[string]int
}

// grant gives this member its turns. For what stays behind it returns when the
// first of its asks may have its turn, and whether that is only a guess; 0 when
// no ask is left.
func (s *State) grant(now Instant, rules Rules, me *Member) (granted []int64, wake Instant, poll bool) {
	t := turns{now: now, rules: rules, until: s.Until, pace: s.pace(now, rules), runs: map[string]ring{}, takenOfRun: map[string]int{}}
	t.short, t.long = s.rings(now, rules)
	for _, m := range s.Members {
		if _, known := t.runs[m.Run]; !known {
			t.runs[m.Run] = s.runRing(now, rules, m.Run)
		}
	}
	for _, ask := range s.queue(now, rules, me) {
		run := ask.member.Run
		if ask.member == me {
			if !t.free(run) {
				wake, poll = t.wake(run)
				break
			}
			granted = append(granted, ask.Ticket)
		} else if t.heldByRun(run) {
			continue
		}
		t.taken++
		t.takenOfRun[run]++
	}

	if len(granted) > 0 {
		me.Waits = me.Waits[len(granted):]
		me.Holds = append(me.Holds, granted...)
		s.LastGrant = now
		s.NextPaced = t.pace.after(len(granted))
	}
	return granted, wake, poll
}

func (t *turns) heldByRun(run string) bool { return t.runs[run].full(t.takenOfRun[run]) }

// free reports whether the next ask in the queue can be granted now.
func (t *turns) free(run string) bool {
	return t.now >= t.until && !t.heldByRun(run) &&
		!t.short.full(t.taken) && !t.long.full(t.taken) && t.pace.due(t.taken) <= t.now
}

// wake is the earliest instant at which the next ask in the queue may be
// granted, and whether that is only a guess.
func (t *turns) wake(run string) (at Instant, poll bool) {
	at = max(t.until, t.pace.due(t.taken))
	guess := t.now + t.rules.Poll
	for _, opening := range []struct {
		ring  ring
		slots int
	}{
		{t.short, t.taken + 1},
		{t.long, t.taken + 1},
		{t.runs[run], t.takenOfRun[run] + 1},
	} {
		opens, known := opening.ring.opens(opening.slots)
		if !known {
			opens, poll = guess, true
		}
		at = max(at, opens)
	}
	return at, poll && at == guess
}
