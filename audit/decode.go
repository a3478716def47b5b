package audit

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	_ "image/jpeg" // formats that image.Decode knows
	_ "image/png"

	_ "golang.org/x/image/webp"

	"vlens-archiver/store"
)

// largestPicture bounds the pixels that are decoded: beyond it the header of a
// small file asks for more memory than it is worth.
const largestPicture = 100_000_000

// inspectImage says what is wrong with the structure of an image, without
// decoding its pixels: that it is what it was recorded as, and whole to its end.
func inspectImage(recorded store.Image, body []byte) string {
	switch recorded.MediaType {
	case "image/jpeg", "image/png", "image/webp":
		header, format, err := image.DecodeConfig(bytes.NewReader(body))
		switch {
		case err != nil:
			return "its header does not decode: " + err.Error()
		case "image/"+format != recorded.MediaType:
			return fmt.Sprintf("it is image/%s, recorded as %s", format, recorded.MediaType)
		case recorded.Width != 0 && (header.Width != recorded.Width || header.Height != recorded.Height):
			return fmt.Sprintf("it is %d × %d pixels, recorded as %d × %d", header.Width, header.Height, recorded.Width, recorded.Height)
		case !whole(format, body):
			return "it breaks off"
		}
	case "image/heic", "image/heif":
		if len(body) < 12 || string(body[4:8]) != "ftyp" {
			return "it is no HEIF file"
		}
	case "application/pdf":
		if !bytes.HasPrefix(body, []byte("%PDF-")) || !bytes.Contains(body[max(0, len(body)-1024):], []byte("%%EOF")) {
			return "it is no whole PDF file"
		}
	}
	return ""
}

// whole reports whether an image goes on to its end mark.
func whole(format string, body []byte) bool {
	switch format {
	case "jpeg":
		// Some cameras append to the picture, so the mark may stand anywhere.
		return bytes.Contains(body[2:], []byte("\xff\xd9"))
	case "png":
		return wholePNG(body)
	default: // webp: RIFF and the size of what follows (RFC 9649)
		return uint64(binary.LittleEndian.Uint32(body[4:]))+8 <= uint64(len(body))
	}
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

// decodePixels says why the pixels of an image do not decode. HEIF and PDF have
// no decoder here.
func decodePixels(body []byte) string {
	header, _, err := image.DecodeConfig(bytes.NewReader(body))
	if err != nil || header.Width*header.Height > largestPicture {
		return "" // its header was judged before
	}
	if _, _, err := image.Decode(bytes.NewReader(body)); err != nil {
		return "its pixels do not decode: " + err.Error()
	}
	return ""
}
