package rebuild

import (
	"path"
	"regexp"
	"slices"

	"vlens-archiver/store"
)

var (
	validSubject = regexp.MustCompile(`^[a-z2-7]{26}$`)
	validRef     = regexp.MustCompile(`^([0-9a-f]{32})?$`)
	validSHA256  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// validImage reports whether a ledger can have the image: a record is only JSON.
func validImage(image store.Image, folder string) bool {
	states := []store.ImageState{store.ImageStored, store.ImageAbsent, store.ImageGone, store.ImageRejected, store.ImageFailed}
	valid := slices.Contains(store.Kinds[:], image.Kind) && slices.Contains(states, image.State) &&
		validRef.MatchString(string(image.Ref)) && image.Bytes >= 0
	if image.State == store.ImageStored {
		return valid && path.Dir(image.Key) == folder && validSHA256.MatchString(image.SHA256)
	}
	return valid && image.SHA256 == ""
}

// endingOf is how an attempt must have ended that left a record of these images.
// It stands in for the outcome where the files of the run are missing.
func endingOf(images []store.Image) (store.Outcome, store.Class) {
	var class store.Class
	var settled bool
	stored, missing := 0, 0
	for _, image := range images {
		switch image.State {
		case store.ImageStored:
			stored++
		case store.ImageAbsent:
		default:
			missing++
			settles := image.State != store.ImageFailed || image.Class == store.ClassConflict
			if missing == 1 || settled && !settles || settled == settles && image.Class.StandsFor(class) < 0 {
				class, settled = image.Class, settles
			}
		}
	}
	switch {
	case missing == 0:
		return store.OutcomeArchived, store.ClassNone
	case stored == 0:
		return store.OutcomeFailed, class
	}
	return store.OutcomePartial, class
}
