package manifest_test

import (
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// A record of an earlier version may claim a size that no column holds.
func TestStoredImageFitsTheLedger(t *testing.T) {
	t.Parallel()
	got := manifest.Image{State: store.ImageStored, Width: new(3_000_000_000), Height: new(17)}.Stored()
	if got.Width != 0 || got.Height != 17 {
		t.Errorf("%d × %d", got.Width, got.Height)
	}
}
