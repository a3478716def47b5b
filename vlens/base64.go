package vlens

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/segmentio/asm/base64"
)

var errNotBase64 = errors.New("not base64")

// base64Text strips the quotes of a JSON string and whatever may surround or
// interrupt base64 in it: escapes, a data: prefix. It may move bytes within
// value. ok is false for anything but a string.
func base64Text(value []byte) (text []byte, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return nil, false
	}
	text = value[1 : len(value)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		if text, ok = unescape(text); !ok {
			return nil, false
		}
	}
	text = bytes.TrimSpace(text)
	if len(text) >= len(dataPrefix) && bytes.EqualFold(text[:len(dataPrefix)], dataPrefix) {
		// The longest media type with its parameters is far below this.
		comma := bytes.IndexByte(text[:min(len(text), 256)], ',')
		if comma < 0 {
			return nil, false
		}
		text = text[comma+1:]
	}
	return text, true
}

var dataPrefix = []byte("data:")

// unescape resolves the escapes of a JSON string in place. It refuses those
// that no base64 text needs.
func unescape(text []byte) ([]byte, bool) {
	out := text[:0]
	for {
		n := bytes.IndexByte(text, '\\')
		if n < 0 {
			return append(out, text...), true
		}
		out = append(out, text[:n]...)
		if n+1 >= len(text) {
			return nil, false
		}
		escape := text[n+1]
		text = text[n+2:]
		switch escape {
		case '/':
			out = append(out, '/')
		case 'n', 'r', 't':
			out = append(out, ' ')
		case 'u':
			if len(text) < 4 {
				return nil, false
			}
			char, err := strconv.ParseUint(string(text[:4]), 16, 7) // ASCII
			if err != nil {
				return nil, false
			}
			out = append(out, byte(char))
			text = text[4:]
		default:
			return nil, false
		}
	}
}

// decodeBase64 decodes text into dst, which has room for len(text)*3/4 bytes.
// The plain case, standard alphabet and padded, is one pass of vector code; if
// that fails, text is put in order in place and tried once more: it may be
// wrapped, in the URL alphabet, or without padding (RFC 4648).
func decodeBase64(dst, text []byte) (int, error) {
	if len(text)%4 == 0 {
		if n, err := base64.StdEncoding.Decode(dst, text); err == nil {
			return n, nil
		}
	}
	text, ok := straighten(text)
	if !ok {
		return 0, errNotBase64
	}
	n, err := base64.RawStdEncoding.Decode(dst, text)
	if err != nil {
		return 0, errNotBase64
	}
	return n, nil
}

// straighten turns base64 text into the standard alphabet without padding and
// white space, in place.
func straighten(text []byte) ([]byte, bool) {
	out, padded := text[:0], 0
	for _, char := range text {
		switch {
		case char == ' ', '\t' <= char && char <= '\r':
			continue
		case char == '=':
			padded++
			continue
		case padded > 0:
			return nil, false
		case char == '-':
			char = '+'
		case char == '_':
			char = '/'
		}
		out = append(out, char)
	}
	return out, padded <= 2
}
