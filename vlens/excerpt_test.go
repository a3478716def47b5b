package vlens

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// TestShortenedBody: a body with a long text in it is read as if it were read
// whole, whatever stands around and in the text.
func TestShortenedBody(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("QUJD", 8<<10)
	spaces := strings.Repeat(" ", 32<<10)
	numbers := strings.Repeat("1,", 16<<10) + "1"
	for _, tt := range []struct {
		body    string
		shorter bool // the decoder is spared the text
	}{
		{`{"data":{"image":"` + long + `"},"error_code":0}`, true},
		{`{"data":{"before":"x","image":"` + long + `","after":{"a":[1]}},"error_code":"4003"}`, true},
		{`{"data":{"image":"\"` + long + `"},"error_code":0}`, true},
		{`{"data":{"image":"a\/` + long + `"}}`, false},
		{`{"error_code":7,"data":{"image":"` + long + "\xff" + `"}}`, false},
		{`{"` + long + `":1,"data":{"a":"b"},"error_code":3}`, true},
		{`{"data":{"image":"` + long + `"}}x`, false},
		{`{"data":{"image":"` + long + `"`, false},
		{`{"data":{"image":"` + long, false},
		{`{"data":{"image":"` + long + "\n" + long + `"}}`, false},
		{`{"data":{"image":"` + long + "\x1f" + `"}}`, false},
		{`{"data":{"image":"` + long + `\/` + long + `"}}`, false},
		{`{"data":{"image":"` + long + `\"` + long + `"}}`, false},
		{`{"data":{"image":"` + long + `","second":"` + long + `"}}`, false},
		{`{"data":{"a":"b","n":[` + numbers + `],"c":"d"},"error_code":5}`, false},
		{`{"data":{"a":"b"` + spaces + `,"c":"d"},"error_code":5}`, false},
		{`{"data":{"n":[` + numbers + `]}}`, false},
		{spaces + `{"data":{"image":"` + long + `"}}` + spaces, false},
		{`"` + long + `"`, false},
		{long, false},
	} {
		whole := parse(excerpt{text: []byte(tt.body), body: []byte(tt.body)})
		if json.Valid([]byte(tt.body)) && tt.body[0] != '"' && whole.form != formJSON {
			t.Errorf("%.40s…: valid JSON is taken for none", tt.body)
		}
		if got := parseEnvelope([]byte(tt.body)); !reflect.DeepEqual(got, whole) {
			t.Errorf("%.40s…: as a whole %.200v\nshortened  %.200v", tt.body, whole, got)
		}
		short, ok := shorten([]byte(tt.body))
		if shorter := ok && parse(short).form == formJSON; shorter != tt.shorter {
			t.Errorf("%.40s…: shortened %t, want %t", tt.body, shorter, tt.shorter)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for length := range 70 {
		for at := range length {
			for char := range 0x100 {
				text := []byte(strings.Repeat(" /+A9z=~", 9))[:length]
				text[at] = byte(char)
				want := ' ' <= char && char <= '~' && char != '"' && char != '\\'
				if got := plain(text); got != want {
					t.Fatalf("%#x at %d of %d: %t", char, at, length, got)
				}
			}
		}
	}
}

func TestShortenedBodyIsNotCopied(t *testing.T) {
	body := []byte(`{"data":{"image":"` + strings.Repeat("QUJD", 100<<10) + `"},"error_code":0}`)
	parseEnvelope(body)
	// The list of members and what is noted of them.
	if allocations := testing.AllocsPerRun(20, func() { parseEnvelope(body) }); allocations > 12 {
		t.Errorf("%.0f allocations a body", allocations)
	}
}
