package window

// Shares of the long limit.
const (
	// burstShare is the part that may go at once: a quarter. At least
	// smallestBurst go at once, so that a short command need not wait.
	burstShare    = 4
	smallestBurst = 5
	// rampShare is the part of the even rate with which a ramp begins.
	rampShare = 8
)

// pace spreads grants over the long window.
type pace struct {
	now    Instant
	next   Instant // when the next grant is due at the even rate
	gap    Instant // between two grants
	credit Instant // how far grants may run ahead of the even rate
}

func (s *State) pace(now Instant, rules Rules) pace {
	limits := s.inForce()
	p := pace{now: now}
	switch {
	case s.Level > 0 && now < s.Until+rules.Ramp:
		p.gap = rampGap(now-s.Until, rules, limits)
	case limits.PerLong > 0:
		p.gap = rules.Long / Instant(limits.PerLong)
		p.credit = p.gap * Instant(max(limits.PerLong/burstShare, smallestBurst)-1)
	}
	// What was granted at a slower rate is not held against a faster one.
	p.next = min(s.NextPaced, max(now, s.Until)+p.credit+p.gap)
	return p
}

// quicken forgets what was granted at a slower rate, once, when the rate has
// become faster: a stricter member has left, or a ramp is over. It reports
// whether there was something to forget.
func (s *State) quicken(now Instant, rules Rules) bool {
	next := s.pace(now, rules).next
	quicker := next < s.NextPaced
	s.NextPaced = min(s.NextPaced, next)
	return quicker
}

// due is when one more grant is due after so many grants now.
func (p pace) due(taken int) Instant { return p.after(taken) - p.credit }

// after is when the next grant is due at the even rate after so many grants now.
func (p pace) after(taken int) Instant { return max(p.next, p.now) + Instant(taken)*p.gap }

// rampGap is the distance of grants so long after a cool-down: the first goes
// alone, then the rate grows in a straight line from an eighth of the even rate
// to all of it. Without a long limit the even rate is that of the limit there is.
func rampGap(since Instant, rules Rules, limits Limits) Instant {
	since = max(since, 0)
	var even Instant
	switch {
	case limits.PerLong > 0:
		even = rules.Long / Instant(limits.PerLong)
	case limits.PerShort > 0:
		even = rules.Short / Instant(limits.PerShort)
	case limits.PerLongOfRun > 0:
		even = rules.Long / Instant(limits.PerLongOfRun)
	}
	return min(even*rampShare*rules.Ramp/(rules.Ramp+(rampShare-1)*since), rules.Long)
}

// CoolDown stops all grants after a throttle reply, for as long as the vendor
// asks, 0 when it does not say, and at least for the pause of the present level.
//
// A reply that comes while grants are stopped, or before any was made since, was
// provoked before the pause and says nothing about it. One that comes in the
// ramp after it says that the pause was too short: the next is twice as long. A
// ramp without a throttle reply ends the series.
func (s *State) CoolDown(now Instant, rules Rules, retryAfter Instant) {
	s.settle(now, rules)
	retryAfter = min(retryAfter, rules.LongestPause)
	echo := s.Level > 0 && s.LastGrant < s.Until
	switch {
	case now < s.Until:
		s.Until = max(s.Until, now+retryAfter)
		s.NextPaced = s.Until
		return
	case echo:
	case s.Level > 0 && now < s.Until+rules.Ramp:
		s.Level++
	default:
		s.Level = 1
	}
	pause := rules.FirstPause
	for range s.Level - 1 {
		pause = min(2*pause, rules.LongestPause)
	}
	s.Until = now + max(pause, retryAfter)
	s.NextPaced = s.Until
}
