package vlens

import "encoding/binary"

// inspectWebP reads the RIFF header, whose size tells a cut file, and the first
// chunk, which tells the dimensions (RFC 9649).
func inspectWebP(b []byte) Info {
	info := Info{
		MediaType: "image/webp",
		Extension: "webp",
		Complete:  len(b) > 20 && uint64(binary.LittleEndian.Uint32(b[4:]))+8 <= uint64(len(b)),
	}
	if len(b) < 30 {
		return info
	}
	chunk := b[20:]
	switch string(b[12:16]) {
	case "VP8 ":
		if string(chunk[3:6]) == "\x9d\x01\x2a" {
			info.Width = int(binary.LittleEndian.Uint16(chunk[6:]) & 0x3fff)
			info.Height = int(binary.LittleEndian.Uint16(chunk[8:]) & 0x3fff)
		}
	case "VP8L":
		if chunk[0] == 0x2f {
			size := binary.LittleEndian.Uint32(chunk[1:])
			info.Width = int(size&0x3fff) + 1
			info.Height = int(size>>14&0x3fff) + 1
		}
	case "VP8X":
		info.Width = uint24(chunk[4:]) + 1
		info.Height = uint24(chunk[7:]) + 1
	}
	return info
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
