package worker

import (
	"slices"

	"vlens-archiver/store"
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
	worst := worst(results)
	end.class, end.failure, end.passing = worst.Class, worst.failure, !settled(worst.Image)
	return end
}

// worst is what stands for all that is not stored, in whatever order it was met: a
// failure that may pass when there is any, since it says that trying again is worth it.
func worst(results []fetched) fetched {
	missing := slices.DeleteFunc(slices.Clone(results), func(f fetched) bool { return f.State == store.ImageStored })
	return slices.MinFunc(missing, func(x, y fetched) int {
		if settled(x.Image) != settled(y.Image) {
			if settled(x.Image) {
				return 1
			}
			return -1
		}
		return x.Class.StandsFor(y.Class)
	})
}

// verification is where the verification that the vendor listed stands once the
// ledger has what this attempt stored: "" when no listing gave references.
func (a *attempt) verification(end ending) store.State {
	stored := 0
	for _, r := range a.references {
		of := func(i store.Image) bool { return i.State == store.ImageStored && i.Kind == r.kind && i.Ref == r.ref }
		if slices.ContainsFunc(end.images, of) || slices.ContainsFunc(a.known.Images, func(i store.StoredImage) bool {
			return i.Transaction == a.transaction && of(i.Image)
		}) {
			stored++
		}
	}
	switch {
	case len(a.references) == 0:
		return ""
	case stored == len(a.references):
		return store.StateArchived
	case stored > 0:
		return store.StatePartial
	}
	return store.StateFailed
}

// state is what a record says of the folder now: every stored image, then, for
// each listed reference without one, why, and for each kind that the listing
// leaves out and nothing is stored of, that it is absent. In the order of kinds.
// What was settled stays so when another try fails.
func (a *attempt) state(results []fetched) []store.Image {
	images := a.stored()
	for _, result := range results {
		known := slices.ContainsFunc(images, func(i store.Image) bool {
			return i.Kind == result.Kind && i.Ref == result.Ref && (i.Key == result.Key || result.State != store.ImageStored)
		})
		if known {
			continue
		}
		image := result.Image
		if before, was := a.settledBefore(reference{kind: image.Kind, ref: image.Ref}); was && image.State == store.ImageFailed {
			image = before.Image
		}
		images = append(images, image)
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
