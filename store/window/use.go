package window

// Use is how much of the quota is taken at one moment.
type Use struct {
	Short, Long, OfRun int    // slots taken in each window
	Limits             Limits // in force; Run and PerLongOfRun of the asked run
	InFlight           int    // slots without a response
	Waiting            int    // asks of members that are there
	Members            int
	Until              Instant // no grants before; 0 when grants are made
}

// Use is the state as of now. Run may be "".
func (s *State) Use(now Instant, rules Rules, run string) Use {
	s.settle(now, rules)
	short, long := s.rings(now, rules)
	ofRun := s.runRing(now, rules, run)
	use := Use{
		Short:    short.used(),
		Long:     long.used(),
		Limits:   s.inForce(),
		InFlight: short.flying,
		Waiting:  len(s.queue(now, rules, nil)),
		Members:  len(s.Members),
	}
	use.Limits.Run, use.Limits.PerLongOfRun = run, ofRun.limit
	if ofRun.limit > 0 {
		use.OfRun = ofRun.used()
	}
	if s.Until > now {
		use.Until = s.Until
	}
	return use
}
