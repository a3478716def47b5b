package vlens

import "encoding/binary"

// completePNG walks the chunks (RFC 2083) behind the signature of 8 bytes: the
// last is IEND. What stands behind it does not matter.
func completePNG(b []byte) bool {
	const around = 12 // length, type and CRC of a chunk
	for rest := b[8:]; len(rest) >= around; {
		length := int(binary.BigEndian.Uint32(rest))
		if length > len(rest)-around {
			return false
		}
		if string(rest[4:8]) == "IEND" {
			return true
		}
		rest = rest[around+length:]
	}
	return false
}
