package worker

import (
	"math/rand/v2"
	"time"

	"vlens-archiver/store"
)

const (
	firstRetry   = 15 * time.Minute
	longestRetry = 24 * time.Hour
	firstAsk     = 24 * time.Hour
	longestAsk   = 30 * 24 * time.Hour
	recheckShare = 0.1 // rechecks are spread over this share to either side
)

// NextDue is the delay until a user who ended like this, after that many failed
// attempts in a row, is due again; store.Never is never. A change of the user's
// row makes the user due at once, whatever this says.
func NextDue(outcome store.Outcome, class store.Class, attempts int, recheck time.Duration) time.Duration {
	switch outcome {
	case store.OutcomeArchived, store.OutcomeUnchanged:
		return recheckIn(recheck)
	case store.OutcomeNoImages, store.OutcomeNotFound:
		return doubling(firstAsk, longestAsk, attempts)
	}
	if outcome == store.OutcomePartial || class.Transient() {
		return doubling(firstRetry, longestRetry, attempts)
	}
	return store.Never
}

func (a *attempt) nextDue(end ending) time.Duration {
	if end.passing {
		return doubling(firstRetry, longestRetry, a.task.Attempts)
	}
	return NextDue(end.outcome, end.class, a.task.Attempts, a.RecheckAfter)
}

func recheckIn(after time.Duration) time.Duration {
	if after == 0 {
		return store.Never
	}
	spread := recheckShare * (2*rand.Float64() - 1)
	return after + time.Duration(spread*float64(after))
}

func doubling(first, longest time.Duration, attempts int) time.Duration {
	d := first
	for range attempts {
		if d *= 2; d >= longest {
			return longest
		}
	}
	return d
}
