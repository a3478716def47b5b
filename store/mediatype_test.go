package store_test

import (
	"testing"

	"vlens-archiver/store"
)

func TestExtensionsOfImages(t *testing.T) {
	t.Parallel()
	if got := store.Extension("image/heif"); got != "heif" {
		t.Errorf("a new HEIF image gets %q", got)
	}
	for _, c := range []struct {
		mediaType, extension string
		want                 bool
	}{
		{"image/heif", "heif", true},
		{"image/heif", "heic", true}, // as earlier versions named it
		{"image/heic", "heif", false},
		{"image/avif", "heic", false},
		{"image/jpeg", "png", false},
		{"text/html", "", false},
	} {
		if got := store.HasExtension(c.mediaType, c.extension); got != c.want {
			t.Errorf("%s under .%s: %t", c.mediaType, c.extension, got)
		}
	}
}
