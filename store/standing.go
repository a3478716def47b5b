package store

// Standing is where an attempt leaves a user: the one place that says it, for the
// ledger's commit, for the ledger in memory and for a ledger that is rebuilt. When
// the user's row has changed since the claim, the user stays due for that change.
type Standing struct {
	State State
	// Class is why the user is failed or partial, or what was wrong with the last
	// attempt at any other user.
	Class Class
	// Settled says that trying again soon cannot change that, nor what the vendor does
	// not list: the user is looked at slowly.
	Settled bool
	// Newest is the folder of the newest verification; "" while none is known.
	Newest string
	// Complete says that every image the vendor lists is stored.
	Complete bool
	// Unlisted says that the vendor no longer lists a user of whom something is
	// stored, or is known to be missing.
	Unlisted  bool
	Attempts  int       // without success in a row
	DueReason DueReason // of the next attempt
}

// Standing is where the user stands after the attempt. The state is that of the
// newest verification, which only an answered listing tells:
//
//   - a listing with references names the newest verification, and the state is how
//     much of it is stored, by this attempt or before it;
//   - a listing without references, or of nobody, is the state of those who were
//     never listed; of others it is noted, and what is stored, or missing, stays so;
//   - a listing that was not answered leaves the state as it was, and what had settled
//     of those who lack something stays settled.
func (r Result) Standing() Standing {
	s := Standing{State: r.State, Class: r.Class, Settled: r.Slow(), Newest: r.NewestTransaction, Unlisted: r.Unlisted}
	verification := r.verification()
	switch {
	case verification != "":
		s.State, s.Unlisted = verification, false
		if r.Transaction != "" {
			s.Newest = r.Transaction
		}
	case r.unlists() && (r.State == StateArchived || r.HasImages && r.State != StatePending || r.State.Failing() && r.NewestTransaction != ""):
		s.Unlisted = true
	case r.unlists():
		s.State = State(r.Outcome)
	case r.State == StatePending:
		s.State = StateFailed
	case r.State.Failing() && r.Settled && !r.Slow():
		s.Class, s.Settled = r.LastClass, true
	}
	if s.Class == ClassNone && s.State.Failing() {
		s.Class = r.LastClass // what is missing is still missing for that
	}

	s.Complete = verification == StateArchived
	switch {
	case s.Complete && (r.Outcome == OutcomeArchived || r.Outcome == OutcomeUnchanged):
		s.DueReason = DueRecheck
	case r.Slow() && (r.Outcome.Incomplete() || !r.Settled):
		// Newly settled, or newly unlisted. What was so before is unchanged.
		s.DueReason, s.Attempts = DueRetry, 1
	default:
		s.DueReason, s.Attempts = DueRetry, r.Attempts+1
	}
	return s
}

// Slow reports whether trying again soon cannot change how the attempt ended: the
// user is looked at again slowly.
func (r Result) Slow() bool {
	return r.unlists() || r.Class.Settled() && !r.Passing
}

// unlists reports whether the vendor said that it has nothing of the user.
func (r Result) unlists() bool {
	return r.Outcome == OutcomeNoImages || r.Outcome == OutcomeNotFound
}

// verification is the Verification of the result, or what its outcome says of it.
func (r Result) verification() State {
	switch {
	case r.Verification != "":
		return r.Verification
	case r.Outcome == OutcomeArchived, r.Outcome == OutcomeUnchanged && r.Class == ClassNone:
		return StateArchived
	case r.Outcome == OutcomePartial:
		return StatePartial
	}
	return ""
}

// Failing reports whether something of the user's newest verification is missing.
func (s State) Failing() bool { return s == StateFailed || s == StatePartial }
