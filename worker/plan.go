package worker

import (
	"math"
	"time"

	"vlens-archiver/store"
)

const (
	// usualImages is taken for images per user while the ledger has no history:
	// the vendor's most, so that a plan never promises too much.
	usualImages = float64(store.KindCount)
	// usualBytes is taken for the size of an image without a history: the
	// vendor advises uploads under 500 KB (docs.vlenseg.com, "Verify Liveness
	// Multi").
	usualBytes = 300 << 10
)

// Plan is what a run would do, and how long it would take.
type Plan struct {
	store.PlanFigures
	DueTotal int64
	// Requests is 1 for each user due and 1 for each image expected of those of whom
	// not merely a listing is, or of all when they are fetched again.
	Requests int64
	Bytes    int64 // expected, of images
	// Duration at the quota, and when that would be over; zero without a quota.
	Duration time.Duration
	Finish   time.Time
	// FromHistory says that images per user and bytes per image are the
	// archive's own averages and not assumed.
	FromHistory bool
}

// NewPlan works out a plan. perMinute is the smaller of quota and run limit in
// requests a minute, 0 for none.
func NewPlan(figures store.PlanFigures, selection store.Selection, perMinute int, now time.Time) Plan {
	plan := Plan{PlanFigures: figures, FromHistory: figures.ImagesPerUser > 0}
	images, size := usualImages, float64(usualBytes)
	if plan.FromHistory {
		images, size = figures.ImagesPerUser, figures.BytesPerImage
	}

	for _, reason := range store.DueReasons {
		plan.DueTotal += figures.Due[reason]
	}
	fetched := float64(plan.DueTotal-figures.DueListings) * images
	if selection.Force {
		fetched = float64(plan.DueTotal-figures.Unverified) * images
	}
	plan.Requests = plan.DueTotal + int64(math.Ceil(fetched))
	plan.Bytes = int64(fetched * size)
	if perMinute > 0 {
		minutes := float64(plan.Requests) / float64(perMinute)
		plan.Duration = time.Duration(minutes * float64(time.Minute)).Round(time.Second)
		plan.Finish = now.Add(plan.Duration)
	}
	return plan
}
