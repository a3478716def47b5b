package vlens

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/segmentio/asm/ascii"
)

// edge is how much of a body may stand before and behind its one long text, in
// bytes.
const edge = 4 << 10

// excerpt is a body without the one text that makes up most of it. A JSON
// decoder looks at a string byte by byte, which for the base64 of an image costs
// more than decoding it does.
type excerpt struct {
	text []byte // what the decoder reads
	body []byte // what it stands for
	from int    // where in both the text was cut out
}

// shorten cuts out what stands between two quotes near the ends of the body, if
// that holds nothing but plain characters. If the first of the two begins or
// continues a string, excerpt and body are objects alike, but for the name of a
// member if the string is one, and none that is asked for is so long; if it ends
// one, the excerpt is no JSON.
func shorten(body []byte) (excerpt, bool) {
	if len(body) <= 4*edge {
		return excerpt{}, false
	}
	from := bytes.LastIndexByte(body[:edge], '"') + 1
	tail := bytes.IndexByte(body[len(body)-edge:], '"')
	if from == 0 || tail < 0 {
		return excerpt{}, false
	}
	to := len(body) - edge + tail
	if !plain(body[from:to]) {
		return excerpt{}, false
	}
	return excerpt{text: slices.Concat(body[:from], body[to:]), body: body, from: from}, true
}

// value is the part of the body for a value of the excerpt: n bytes before end.
func (x excerpt) value(end, n int) jsontext.Value {
	missing := len(x.body) - len(x.text)
	start := end - n
	if start >= x.from {
		start += missing
	}
	if end > x.from {
		end += missing
	}
	return x.body[start:end:end]
}

// plain reports whether the text may stand in a JSON string as it is. It refuses
// texts beyond printable ASCII, which could too; base64 is never one.
func plain(text []byte) bool {
	return bytes.IndexByte(text, '"') < 0 && bytes.IndexByte(text, '\\') < 0 && ascii.ValidPrint(text)
}
