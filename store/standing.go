package store

// Standing is where an outcome leaves a user, unless the user's row has changed
// since the claim: then the user stays due for that change.
type Standing struct {
	State     State
	Attempts  int       // without success in a row
	DueReason DueReason // of the next attempt
}

// Standing is where the user stands after the outcome.
func (t Task) Standing(outcome Outcome) Standing {
	standing := Standing{State: t.State.After(outcome)}
	switch outcome {
	case OutcomeArchived, OutcomeUnchanged:
		standing.DueReason = DueRecheck
	default:
		standing.DueReason, standing.Attempts = DueRetry, t.Attempts+1
	}
	return standing
}

// After is the state of a user who stood in s and now had the outcome o. A user
// once archived stays archived: what is stored does not go away because a later
// attempt failed.
func (s State) After(o Outcome) State {
	switch {
	case s == StateArchived, o == OutcomeArchived, o == OutcomeUnchanged:
		return StateArchived
	case s == StatePartial && (o == OutcomeFailed || o == OutcomeNotFound || o == OutcomeNoImages):
		return StatePartial
	default:
		return State(o)
	}
}
