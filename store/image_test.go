package store_test

import (
	"math"
	"testing"

	"vlens-archiver/store"
)

func TestPixels(t *testing.T) {
	t.Parallel()
	for claimed, want := range map[int]int{-1: 0, 0: 0, 1: 1, math.MaxInt32: math.MaxInt32, math.MaxInt32 + 1: 0, math.MaxInt: 0} {
		if got := store.Pixels(claimed); got != want {
			t.Errorf("%d: %d, want %d", claimed, got, want)
		}
	}
}
