package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	_ "image/gif" // formats that image.DecodeConfig knows
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"vlens-archiver/store"
)

// largestPicture bounds the pixels that are decoded: beyond it the header of a
// small file asks for more memory than it is worth.
const largestPicture = 100_000_000

// inspectImage says what is wrong with the structure of an image, without
// decoding its pixels: that it is what it was recorded as, and, of a JPEG or PNG,
// whole to its end. Of the others nobody could tell when they were archived.
func inspectImage(recorded store.Image, body []byte) string {
	switch recorded.MediaType {
	case "image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff":
		header, format, err := image.DecodeConfig(bytes.NewReader(body))
		switch {
		case err != nil && recorded.Width == 0:
			// It is of a variety that did not decode when it came, either.
		case err != nil:
			return "its header does not decode: " + err.Error()
		case "image/"+format != recorded.MediaType:
			return fmt.Sprintf("it is image/%s, recorded as %s", format, recorded.MediaType)
		case recorded.Width != 0 && (header.Width != recorded.Width || header.Height != recorded.Height):
			return fmt.Sprintf("it is %d × %d pixels, recorded as %d × %d", header.Width, header.Height, recorded.Width, recorded.Height)
		}
		if !whole(recorded.MediaType, body) {
			return "it breaks off"
		}
	case "image/heic", "image/heif", "image/avif":
		if len(body) < 12 || string(body[4:8]) != "ftyp" {
			return "it is no HEIF file"
		}
	case "application/pdf":
		// Readers take a header that stands within the first 1,024 bytes (ISO 32000-1,
		// annex H.3, note 13).
		if !bytes.Contains(body[:min(len(body), 1024)], []byte("%PDF-")) {
			return "it is no PDF file"
		}
	}
	return ""
}

// whole reports whether a JPEG or PNG goes on to its end mark.
func whole(mediaType string, body []byte) bool {
	switch mediaType {
	case "image/jpeg":
		// Some cameras append to the picture, so the mark may stand anywhere.
		return bytes.Contains(body, []byte("\xff\xd9"))
	case "image/png":
		return wholePNG(body)
	}
	return true
}

// wholePNG walks the chunks to IEND and checks the CRC of each (PNG
// specification, section 5.3).
func wholePNG(body []byte) bool {
	const signature, around = 8, 12 // length, type and CRC around the data
	for at := uint64(signature); at+around <= uint64(len(body)); {
		length := uint64(binary.BigEndian.Uint32(body[at:]))
		end := at + around + length
		if end > uint64(len(body)) || crc32.ChecksumIEEE(body[at+4:end-4]) != binary.BigEndian.Uint32(body[end-4:]) {
			return false
		}
		if string(body[at+4:at+8]) == "IEND" {
			return true
		}
		at = end
	}
	return false
}

// decodePixels decodes the pixels of a JPEG or PNG, and says why they do not decode.
// The other types have no decoder here, or may have come cut without anybody
// knowing.
func decodePixels(body []byte) (decoded bool, problem string) {
	header, format, err := image.DecodeConfig(bytes.NewReader(body))
	if err != nil || format != "jpeg" && format != "png" || header.Width*header.Height > largestPicture {
		return false, "" // its header was judged before
	}
	if _, _, err := image.Decode(bytes.NewReader(body)); err != nil {
		return true, "its pixels do not decode: " + err.Error()
	}
	return true, ""
}
