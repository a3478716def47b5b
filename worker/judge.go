package worker

import (
	"slices"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// judge says how the attempt ends: by what became of each listed reference in
// this attempt, or, if it was not tried, before it.
func (a *attempt) judge(results []fetched) ending {
	end := ending{outcome: store.OutcomeArchived}
	stored := len(a.references) - len(results)
	for _, result := range results {
		if result.State != store.ImageStored {
			continue
		}
		stored++
		if result.created {
			end.bytes += result.Bytes
		}
		if slices.Contains(result.Flags, store.FlagConflict) {
			end.class = store.ClassConflict
		}
	}
	switch stored {
	case len(a.references):
		return end
	case 0:
		end.outcome = store.OutcomeFailed
	default:
		end.outcome = store.OutcomePartial
	}
	end.class, end.failure = worst(results)
	return end
}

// worst is the class that stands for all that is not stored: a transient one
// when there is any, since it says that trying again is worth it.
func worst(results []fetched) (store.Class, *vlens.Error) {
	var worst fetched
	for _, result := range results {
		if result.State == store.ImageStored {
			continue
		}
		if worst.Class == store.ClassNone || result.Class.Transient() && !worst.Class.Transient() {
			worst = result
		}
	}
	return worst.Class, worst.failure
}

// state is what a record says of the folder now: every stored image, then, for
// each listed reference without one, why, and for each kind that the listing
// leaves out and nothing is stored of, that it is absent. In the order of kinds.
func (a *attempt) state(results []fetched) []store.Image {
	images := a.stored()
	for _, result := range results {
		known := slices.ContainsFunc(images, func(i store.Image) bool {
			return i.Kind == result.Kind && i.Ref == result.Ref && (i.Key == result.Key || result.State != store.ImageStored)
		})
		if !known {
			images = append(images, result.Image)
		}
	}
	for _, kind := range store.Kinds {
		if !slices.ContainsFunc(images, func(i store.Image) bool { return i.Kind == kind }) {
			images = append(images, store.Image{Kind: kind, State: store.ImageAbsent})
		}
	}
	slices.SortStableFunc(images, func(x, y store.Image) int {
		return slices.Index(store.Kinds[:], x.Kind) - slices.Index(store.Kinds[:], y.Kind)
	})
	return images
}

// worthRecording reports whether there is a fact to state: an image that is
// stored, or that certainly cannot be. Failures that may pass are no such fact.
func worthRecording(images []store.Image) bool {
	return slices.ContainsFunc(images, func(i store.Image) bool {
		return i.State != store.ImageAbsent && i.State != store.ImageFailed
	})
}
