package store_test

import (
	"slices"
	"testing"

	"vlens-archiver/store"
)

// Which class stands for several does not depend on the order in which they are met.
func TestStandsFor(t *testing.T) {
	t.Parallel()
	want := []store.Class{store.ClassTimeout, store.ClassInternal, store.ClassTooLarge, store.ClassNotAnImage, store.ClassConflict, store.ClassGone}
	got := slices.SortedFunc(slices.Values([]store.Class{
		store.ClassGone, store.ClassTooLarge, store.ClassInternal, store.ClassConflict, store.ClassTimeout, store.ClassNotAnImage,
	}), store.Class.StandsFor)
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
