package vlens

import (
	"bytes"
	"encoding/binary"
)

// Markers of a JPEG (ITU-T T.81, table B.1).
const (
	markerTEM  = 0x01
	markerSOF0 = 0xc0
	markerDHT  = 0xc4
	markerJPG  = 0xc8
	markerDAC  = 0xcc
	markerRST0 = 0xd0
	markerSOF  = 0xcf // the last of the start-of-frame markers
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
)

// inspectJPEG walks the segments, and so passes over a thumbnail with an end of
// its own. The image is complete if its scans end in EOI; what cameras append
// behind that does not matter.
func inspectJPEG(b []byte) Info {
	info := Info{MediaType: "image/jpeg", Extension: "jpg"}
	scanning := false
	for pos := 2; ; {
		n := bytes.IndexByte(b[pos:], 0xff)
		if n < 0 || pos+n+1 >= len(b) {
			return info
		}
		pos += n + 1
		switch marker := b[pos]; {
		case marker == 0xff: // fill byte
		case marker == 0, marker == markerTEM, marker >= markerRST0 && marker <= markerSOI:
			pos++ // a stuffed 0xff of a scan, or a marker that stands alone
		case marker == markerEOI:
			info.Complete = scanning
			return info
		default:
			segment := b[pos+1:]
			if len(segment) < 2 {
				return info
			}
			length := int(binary.BigEndian.Uint16(segment))
			if length < 2 || length > len(segment) {
				return info
			}
			if isStartOfFrame(marker) && length >= 7 && info.Width == 0 {
				info.Height = int(binary.BigEndian.Uint16(segment[3:]))
				info.Width = int(binary.BigEndian.Uint16(segment[5:]))
			}
			scanning = scanning || marker == markerSOS
			pos += 1 + length
			// Entropy-coded data holds no marker but RST; its end is near the end of
			// the file, unless the file has more scans or a tail.
			if marker == markerSOS && bytes.HasSuffix(b[pos:], []byte{0xff, markerEOI}) {
				info.Complete = true
				return info
			}
		}
	}
}

func isStartOfFrame(marker byte) bool {
	return marker >= markerSOF0 && marker <= markerSOF && marker != markerDHT && marker != markerJPG && marker != markerDAC
}
