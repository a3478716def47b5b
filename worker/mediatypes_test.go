package worker_test

import (
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// Every type of image that the vendor's client takes has a name in the archive.
func TestMediaTypesHaveExtensions(t *testing.T) {
	t.Parallel()
	for _, mediaType := range vlens.MediaTypes() {
		if store.Extension(mediaType) == "" {
			t.Errorf("%s has no file name extension", mediaType)
		}
	}
}
