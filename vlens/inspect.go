package vlens

import "bytes"

// Info is what the bytes of an image say of it.
type Info struct {
	MediaType string
	// Extension is jpg, png, webp, heic or pdf.
	Extension string
	// Width and Height are in pixels; 0 when unknown, as for a PDF.
	Width, Height int
	// Complete is false when the image breaks off.
	Complete bool
}

// Inspect tells the type of an image from its content, its size from the
// headers, and whether it is all there from how it ends. It decodes no pixels.
// It reports false for anything but JPEG, PNG, WebP, HEIF and PDF.
func Inspect(b []byte) (Info, bool) {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return inspectJPEG(b), true
	case bytes.HasPrefix(b, []byte(pngSignature)):
		return inspectPNG(b), true
	case len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return inspectWebP(b), true
	case bytes.HasPrefix(b, []byte("%PDF-")):
		return inspectPDF(b), true
	}
	return inspectHEIF(b)
}

// inspectPDF takes the end-of-file marker in the last 1,024 bytes for the end,
// as PDF readers do (ISO 32000-1, annex H.3, note 18).
func inspectPDF(b []byte) Info {
	tail := b[max(0, len(b)-1024):]
	return Info{MediaType: "application/pdf", Extension: "pdf", Complete: bytes.Contains(tail, []byte("%%EOF"))}
}
