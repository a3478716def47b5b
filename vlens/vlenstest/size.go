package vlenstest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"slices"
)

// A mark is the part of a stock image that differs from user to user. It
// stands where base64 groups begin, so that it can be put into the encoded
// text without encoding the rest again.
const (
	markBytes = 12
	markStart = 6 // after SOI (2 bytes) and the marker and length of a COM segment (4)
	markChars = markBytes / 3 * 4
)

// longestSegment is the largest payload of a JPEG segment: its length field,
// which counts itself, has 16 bits (ITU-T T.81, B.1.1.4).
const longestSegment = 1<<16 - 1 - 2

// padded is a JPEG made exactly size bytes long by comment segments of noise;
// the first of them is the mark.
func padded(jpeg []byte, size int, mark [markBytes]byte) ([]byte, error) {
	missing := size - len(jpeg) - 4 - markBytes
	if missing < 4 {
		return nil, fmt.Errorf("a JPEG of %d bytes cannot become %d", len(jpeg), size)
	}
	out := make([]byte, 0, size)
	out = append(out, jpeg[:2]...)
	out = appendComment(out, mark[:])
	noise := noise(longestSegment)
	for missing > 0 {
		payload := min(missing-4, longestSegment)
		// What is left must be nothing or hold a segment's four bytes.
		if rest := missing - 4 - payload; rest > 0 && rest < 4 {
			payload -= 4
		}
		out = appendComment(out, noise[:payload])
		missing -= 4 + payload
	}
	return append(out, jpeg[2:]...), nil
}

func appendComment(out, payload []byte) []byte {
	out = append(out, 0xff, 0xfe)
	out = binary.BigEndian.AppendUint16(out, uint16(len(payload)+2))
	return append(out, payload...)
}

// noise is bytes that do not compress, so that image bodies behave like
// photographs on a compressing link.
func noise(n int) []byte {
	out := make([]byte, 0, n+sha256.Size)
	block := sha256.Sum256([]byte("noise"))
	for len(out) < n {
		block = sha256.Sum256(block[:])
		out = append(out, block[:]...)
	}
	return out[:n]
}

// stockImage is one JPEG of a fixed size, kept encoded.
type stockImage struct {
	bytes  []byte
	before []byte // base64 up to the mark
	after  []byte // and behind it
}

func newStockImage(size int) (*stockImage, error) {
	tile := image.NewRGBA(image.Rect(0, 0, 128, 104))
	for y := range 104 {
		for x := range 128 {
			tile.Set(x, y, color.RGBA{uint8(2 * x), uint8(2 * y), 128, 255})
		}
	}
	data, err := padded(encodeJPEG(tile), size, [markBytes]byte{})
	if err != nil {
		return nil, err
	}
	encoded := base64.StdEncoding.AppendEncode(nil, data)
	at := markStart / 3 * 4
	return &stockImage{bytes: data, before: encoded[:at], after: encoded[at+markChars:]}, nil
}

// mark is the picture's own twelve bytes.
func (p picture) mark() [markBytes]byte {
	var mark [markBytes]byte
	binary.BigEndian.PutUint32(mark[0:], uint32(p.index))
	binary.BigEndian.PutUint16(mark[4:], uint16(p.verification))
	binary.BigEndian.PutUint16(mark[6:], uint16(p.kind))
	if p.content == "changed" {
		mark[8] = 1
	}
	return mark
}

func (s *stockImage) encoded(p picture) [][]byte {
	mark := p.mark()
	return [][]byte{s.before, base64.StdEncoding.AppendEncode(nil, mark[:]), s.after}
}

func (s *stockImage) image(p picture) []byte {
	mark := p.mark()
	data := slices.Clone(s.bytes)
	copy(data[markStart:], mark[:])
	return data
}
