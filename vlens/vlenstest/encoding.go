package vlenstest

import (
	"bytes"
	"encoding/base64"
	"slices"
)

// wrapAt is the line length of MIME (RFC 2045).
const wrapAt = 76

// encodeAs writes an image in one of the base64 forms seen in the wild, ready
// to stand inside a JSON string.
func encodeAs(data []byte, encoding string) []byte {
	standard := base64.StdEncoding.AppendEncode(nil, data)
	switch encoding {
	case "data_uri":
		return append([]byte("data:image/jpeg;base64,"), standard...)
	case "wrapped":
		lines := slices.Collect(slices.Chunk(standard, wrapAt))
		return bytes.Join(lines, []byte(`\r\n`))
	case "url_alphabet":
		return base64.URLEncoding.AppendEncode(nil, data)
	case "unpadded":
		return base64.RawStdEncoding.AppendEncode(nil, data)
	case "escaped":
		return bytes.ReplaceAll(standard, []byte("/"), []byte(`\/`))
	default:
		return standard
	}
}
