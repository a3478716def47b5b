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

// NextDue is the delay until a user whose attempt ended like this is due again;
// store.Never is never. A change of the user's row makes the user due at once,
// whatever this says.
func NextDue(result store.Result, recheck time.Duration) time.Duration {
	standing := result.Standing()
	switch {
	case standing.DueReason == store.DueRecheck:
		return recheckIn(recheck)
	case result.Slow() && result.Accepted && standing.Class == result.LastClass && standing.Newest == result.NewestTransaction:
		return store.AcceptedAgain
	case result.Slow():
		return doubling(firstAsk, longestAsk, standing.Attempts-1)
	}
	return doubling(firstRetry, longestRetry, standing.Attempts-1)
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
