package vlens

import "encoding/binary"

const pngSignature = "\x89PNG\r\n\x1a\n"

// inspectPNG walks the chunks (RFC 2083): the first is IHDR with the size, and
// the image is complete with the last, IEND.
func inspectPNG(b []byte) Info {
	info := Info{MediaType: "image/png", Extension: "png"}
	for rest := b[len(pngSignature):]; len(rest) >= 12; {
		length := int(binary.BigEndian.Uint32(rest))
		if length > len(rest)-12 {
			break
		}
		data := rest[8:]
		switch string(rest[4:8]) {
		case "IHDR":
			if length >= 8 {
				info.Width = int(binary.BigEndian.Uint32(data) & 0x7fffffff)
				info.Height = int(binary.BigEndian.Uint32(data[4:]) & 0x7fffffff)
			}
		case "IEND":
			info.Complete = true
			return info
		}
		rest = rest[12+length:]
	}
	return info
}
