package vlens

import (
	"bytes"
	"encoding/binary"
)

// Markers of a JPEG (ITU-T T.81, table B.1).
const (
	markerTEM  = 0x01
	markerRST0 = 0xd0
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
)

// completeJPEG walks the segments, and so passes over a thumbnail with an end of
// its own. The image is complete if its scans end in EOI; what cameras append
// behind that, such as a film, does not matter.
func completeJPEG(b []byte) bool {
	scanning := false
	for pos := 2; ; {
		n := bytes.IndexByte(b[pos:], 0xff)
		if n < 0 || pos+n+1 >= len(b) {
			return false
		}
		pos += n + 1
		switch marker := b[pos]; {
		case marker == 0xff: // fill byte
		case marker == 0, marker == markerTEM, marker >= markerRST0 && marker <= markerSOI:
			pos++ // a stuffed 0xff of a scan, or a marker that stands alone
		case marker == markerEOI:
			return scanning
		default:
			segment := b[pos+1:]
			if len(segment) < 2 {
				return false
			}
			length := int(binary.BigEndian.Uint16(segment))
			if length < 2 || length > len(segment) {
				return false
			}
			scanning = scanning || marker == markerSOS
			pos += 1 + length
		}
	}
}
