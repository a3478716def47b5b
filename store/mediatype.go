package store

import "slices"

// imageTypes are the media types of stored images, each with the file name
// extensions of their keys. New keys get the first; verify also accepts what
// earlier versions gave.
var imageTypes = []struct {
	mediaType  string
	extensions []string
}{
	{"image/jpeg", []string{"jpg"}},
	{"image/png", []string{"png"}},
	{"image/webp", []string{"webp"}},
	{"image/heic", []string{"heic"}},
	{"image/heif", []string{"heif", "heic"}},
	{"image/avif", []string{"avif"}},
	{"image/gif", []string{"gif"}},
	{"image/bmp", []string{"bmp"}},
	{"image/tiff", []string{"tiff"}},
	{"application/pdf", []string{"pdf"}},
}

// Extension is the file name extension that a new image of this media type gets,
// "" when no image can have the type.
func Extension(mediaType string) string {
	if extensions := extensionsOf(mediaType); extensions != nil {
		return extensions[0]
	}
	return ""
}

// HasExtension reports whether an image of this media type may stand under a key
// with this extension.
func HasExtension(mediaType, extension string) bool {
	return slices.Contains(extensionsOf(mediaType), extension)
}

// Extensions are those of all image types.
func Extensions() []string {
	var all []string
	for _, t := range imageTypes {
		all = append(all, t.extensions[0])
	}
	return all
}

func extensionsOf(mediaType string) []string {
	for _, t := range imageTypes {
		if t.mediaType == mediaType {
			return t.extensions
		}
	}
	return nil
}
