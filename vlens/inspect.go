package vlens

import (
	"bytes"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"

	"github.com/gabriel-vasile/mimetype"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// Info is what the bytes of an image say of it.
type Info struct {
	MediaType string
	// Width and Height are in pixels; both are 0 when they are unknown, or when the
	// header claims more than 2^31-1 for one.
	Width, Height int
	// Complete is false when the image breaks off. That can be told of JPEG and PNG;
	// every other type is taken for complete.
	Complete bool
}

// imageType is a type that phones and scanners make.
type imageType struct {
	mediaType string
	header    func(io.Reader) (image.Config, error) // nil: no decoder is at hand
	complete  func([]byte) bool                     // nil: cannot be told
}

// imageTypes are indexed by the names that mimetype has for them.
var imageTypes = map[string]imageType{
	"image/jpeg":          {"image/jpeg", jpeg.DecodeConfig, completeJPEG},
	"image/png":           {"image/png", png.DecodeConfig, completePNG},
	"image/webp":          {"image/webp", webp.DecodeConfig, nil},
	"image/heic":          {"image/heic", nil, nil},
	"image/heic-sequence": {"image/heic", nil, nil},
	"image/heif":          {"image/heif", nil, nil},
	"image/heif-sequence": {"image/heif", nil, nil},
	"image/avif":          {"image/avif", nil, nil},
	"image/gif":           {"image/gif", gif.DecodeConfig, nil},
	"image/bmp":           {"image/bmp", bmp.DecodeConfig, nil},
	"image/tiff":          {"image/tiff", tiff.DecodeConfig, nil},
	"application/pdf":     {"application/pdf", nil, nil},
}

// MediaTypes are those that an image can have, some of them twice.
func MediaTypes() []string {
	var all []string
	for _, t := range imageTypes {
		all = append(all, t.mediaType)
	}
	return all
}

// Inspect tells the type of an image from its content, its size from the header,
// and whether it is all there from how it ends. It decodes no pixels. It reports
// false for anything that is none of the types.
func Inspect(b []byte) (Info, bool) {
	// An animated PNG is a type of its own below PNG.
	for found := mimetype.Detect(b); found != nil; found = found.Parent() {
		if t, known := imageTypes[found.String()]; known {
			return t.inspect(b), true
		}
	}
	return Info{}, false
}

func (t imageType) inspect(b []byte) Info {
	info := Info{MediaType: t.mediaType, Complete: t.complete == nil || t.complete(b)}
	if t.header == nil {
		return info
	}
	header, err := t.header(bytes.NewReader(b))
	if err == nil && fits(header.Width) && fits(header.Height) {
		info.Width, info.Height = header.Width, header.Height
	}
	return info
}

func fits(pixels int) bool { return pixels >= 1 && pixels <= math.MaxInt32 }
