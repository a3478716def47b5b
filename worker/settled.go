package worker

import (
	"slices"
	"time"

	"vlens-archiver/store"
)

// goneAgainAfter is how much later the vendor has to say again that an image is
// gone for it to be believed: in another night, whatever was wrong in the first. It
// is less than a day because runs do not begin to the minute.
const goneAgainAfter = 20 * time.Hour

// settledAgainAfter is how old a finding about an image is when the image is asked for
// again all the same: slowly, never never.
const settledAgainAfter = 30 * 24 * time.Hour

// settled reports whether an image that is not stored needs no other try soon: it
// is gone, it is no image, or other bytes stand in its place.
func settled(image store.Image) bool {
	return image.State == store.ImageGone || image.State == store.ImageRejected || image.Class == store.ClassConflict
}

// settledBefore is what an earlier attempt settled about a reference, if one did.
func (a *attempt) settledBefore(r reference) (store.Finding, bool) {
	for _, finding := range slices.Backward(a.known.Findings) {
		if finding.Kind == r.kind && finding.Ref == r.ref && settled(finding.Image) {
			return finding, true
		}
	}
	return store.Finding{}, false
}

// leftAlone is what was settled about a reference not so long ago that the run would
// ask for the image again.
func (a *attempt) leftAlone(r reference) (store.Image, bool) {
	before, known := a.settledBefore(r)
	return before.Image, known && !a.triesSettled() && before.Age < settledAgainAfter
}

// triesSettled reports whether the run asks again for what is settled: a backfill
// of failed users, or one that fetches everything.
func (a *attempt) triesSettled() bool {
	selection := a.run.Selection
	return selection.Force || selection.Failed || selection.FailedClass != store.ClassNone
}

// wanted are the references to fetch: those that are not known to be stored and
// about which nothing is settled, or all of them when the run is to fetch again.
func (a *attempt) wanted() []reference {
	if a.forced() {
		return slices.Clone(a.references)
	}
	return slices.DeleteFunc(slices.Clone(a.references), func(r reference) bool {
		_, leave := a.leftAlone(r)
		return a.isStored(r) || leave
	})
}

// unwanted is what earlier attempts settled about references that are not stored
// and not asked for again.
func (a *attempt) unwanted() []fetched {
	var results []fetched
	for _, r := range a.references {
		image, leave := a.leftAlone(r)
		if leave && !a.isStored(r) {
			results = append(results, fetched{Image: image})
		}
	}
	return results
}

// keepSettled is what became of images, where those stay settled that were asked for
// again only because that was long ago, and asking came to nothing.
func (a *attempt) keepSettled(results []fetched) []fetched {
	for n, result := range results {
		before, known := a.settledBefore(reference{kind: result.Kind, ref: result.Ref})
		if known && !a.triesSettled() && result.State != store.ImageStored && !settled(result.Image) {
			results[n] = fetched{Image: before.Image}
		}
	}
	return results
}

// believeGone decides about an image that the vendor just said is gone. Said for
// the first time it is a failure that may pass: a vendor whose storage is away for
// an hour says the same.
func (a *attempt) believeGone(image store.Image) store.Image {
	for _, finding := range a.known.Findings {
		said := finding.Kind == image.Kind && finding.Ref == image.Ref && finding.Class == store.ClassGone
		if said && (finding.State == store.ImageGone || finding.Age >= goneAgainAfter) {
			return image
		}
	}
	image.State = store.ImageFailed
	return image
}

// endsAsBefore reports whether the attempt came to nothing but what the one before
// it had settled already, about the same verification and the same row.
func (a *attempt) endsAsBefore(end ending) bool {
	sameRow := a.task.DueReason == store.DueRetry || a.task.DueReason == store.DueRecheck
	return end.outcome == store.OutcomeFailed && end.class.Settled() && !end.passing && len(end.newRecords) == 0 && len(end.images) == 0 &&
		end.class == a.task.LastClass && sameRow && (len(a.references) == 0 || a.transaction == a.task.NewestTransaction)
}

// refusedBefore reports whether the vendor has refused images of this verification
// for want of a transaction id, and nobody has named one since.
func (a *attempt) refusedBefore() bool {
	return a.vendorID == "" && !a.triesSettled() && a.endsAsBefore(failed(store.ClassNoTransaction))
}
