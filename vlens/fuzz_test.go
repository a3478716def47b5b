package vlens

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{
		`{"data":{"idFrontImage":"a.jpg","idBackImage":null},"error_code":null,"error_message":null,"error_descriptions":null}`,
		`{"data":{"image":"Ynl0ZXM="},"error_code":0}`, `{"data":{"accessToken":"a","expireInSeconds":86400}}`,
		`{"data":null,"error_code":5000,"error_descriptions":[{"a":1}]}`, `{"error_code":"4003"}`, `{"error_code":1e400}`, `{"error_code":"NaN"}`,
		`{"result":null,"targetUrl":null,"success":false,"error":{"code":0,"message":"m","validationErrors":[]},"unAuthorizedRequest":true,"__abp":true}`,
		`{"data":{},"data":{"image":"x"}}`, `{"data":{"a":{"data":{}}}}`, "\xef\xbb\xbf{}", `<html>`, ``, ` `, `{`, `{"data":{"image":"`, `{}{}`, `[]`, `null`,
		`{"data":{"image":"\/9j\/4AAQ\u002b"}}`, "{\"data\":{\"a\xff\":\"\xfe\"}}", strings.Repeat("[", 300),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		e := parseEnvelope(body)
		if !bytes.Equal(body, before) {
			t.Error("the body is changed")
		}
		// The standard library is stricter than the parser nowhere and laxer in
		// nothing but names in invalid UTF-8, which both take.
		var object map[string]json.RawMessage
		trimmed := bytes.TrimPrefix(body, byteOrderMark)
		isObject := json.Unmarshal(trimmed, &object) == nil && object != nil
		if isObject != (e.form == formJSON) {
			t.Errorf("form %d, an object: %t", e.form, isObject)
		}
		if e.form != formJSON && (e.hasData || e.failed || e.code != 0) {
			t.Errorf("%+v", e)
		}
		if e.code != 0 && !e.failed || len(e.data) > 0 && !e.hasData || len(e.data) > maxMembers {
			t.Errorf("%+v", e)
		}
		for _, m := range e.data {
			if !json.Valid(m.value) {
				t.Errorf("member %q is %q", m.name, m.value)
			}
		}
		if l, ok := parseListing(e.data); ok {
			checkListing(t, l)
		}
		readToken(e.data, "")
	})
}

func checkListing(t *testing.T, l Listing) {
	t.Helper()
	ids := []string{l.TransactionID}
	for _, r := range l.References {
		ids = append(ids, r.TransactionID)
		if r.FileName == "" && r.TransactionID != "" {
			t.Errorf("a transaction of no file: %+v", l)
		}
	}
	for _, id := range ids {
		if again, ok := parseTransactionID(id); id != "" && (!ok || again != id) {
			t.Errorf("transaction %q", id)
		}
	}
}

func FuzzReference(f *testing.F) {
	for _, seed := range []string{
		"user123_id_front_20240601.jpg", "", " ", "/", "?", "?FileName", "?FileName=", "a?b", "://", "https://", "https://h?", "/x?FileName=%", "#", "?#",
		"https://api.vlenseg.com/api/DigitalIdentity/GetStepImage?TransactionId=0F8FAD5B-D9CB-469F-A165-70867728950E&FileName=a.jpg",
		"/api/DigitalIdentity/GetStepImage?fileName=a%20b.jpg&transaction_id=%7B0f8fad5b-d9cb-469f-a165-70867728950e%7D",
		"/x/?TransactionId=0f8fad5b-d9cb-469f-a165-70867728950e", "a%2Fb", "https://h/%2f", "/0f8fad5b-d9cb-469f-a165-70867728950e/a.jpg", "/0f8fad5b-d9cb-469f-a165-70867728950e", "https://h/%7B0f8fad5b-d9cb-469f-a165-70867728950e%7D/11111111-2222-3333-4444-555555555555", "\u2000\u0130\u212a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := parseReference(text)
		if !ok && r.FileName != "" {
			t.Errorf("%+v is refused", r)
		}
		checkListing(t, Listing{References: [FieldCount]Reference{r}, TransactionID: r.TransactionID})
		// What is no link is the name.
		if trimmed := strings.TrimSpace(text); !strings.ContainsAny(trimmed, "?/") && r.FileName != trimmed {
			t.Errorf("%q became %q", text, r.FileName)
		}
		query, err := ImageRequest{FileName: r.FileName, TransactionID: r.TransactionID}.query()
		if (err == nil) != (r.FileName != "") || err == nil && query.Get("FileName") != r.FileName {
			t.Errorf("%+v asks for %v, %v", r, query, err)
		}
	})
}

// FuzzBase64 compares with the standard library, and looks behind the buffer:
// vector code could write there.
func FuzzBase64(f *testing.F) {
	long := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb, 0xff, 0x01}, 60))
	for _, seed := range []string{
		"Ynl0ZXM=", "Ynl0ZXM", "", "=", "====", "a", "ab", "abc", "abcd", "-_-_", "+/+/", "ab cd", "ab\r\ncd", "ab=c", "a===", "data:,", "data:image/png;base64,Ynl0ZXM=", `\/9j\/4AA`, `\u002f`, `\`, `\u00`,
		long, long + "=", long[:len(long)-1], long + "*", "*" + long, strings.ReplaceAll(long, "/", "_"), strings.ReplaceAll(long, "/", `\/`),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		const guard = 64
		want, wantErr := base64.StdEncoding.Strict().DecodeString(string(raw))
		plain := wantErr == nil && !bytes.ContainsAny(raw, "\r\n") && len(raw) > 0

		text, ok := base64Text(append(append([]byte{'"'}, raw...), '"'))
		if !ok {
			if plain {
				t.Errorf("%q is no text", raw)
			}
			return
		}
		dst := bytes.Repeat([]byte{0xa5}, decodedBytes(len(text))+guard)
		n, err := decodeBase64(dst[:decodedBytes(len(text))], text)
		if !bytes.Equal(dst[len(dst)-guard:], bytes.Repeat([]byte{0xa5}, guard)) {
			t.Error("wrote behind the buffer")
		}
		if plain && (err != nil || !bytes.Equal(dst[:n], want)) {
			t.Errorf("%q became %q, %v; want %q", raw, dst[:n], err, want)
		}

		// Any bytes survive, in either alphabet, padded, wrapped, escaped.
		std := base64.StdEncoding.EncodeToString(raw)
		half := len(std) / 8 * 4
		for _, form := range []string{
			std, strings.TrimRight(std, "="), base64.URLEncoding.EncodeToString(raw), std[:half] + `\r\n` + std[half:], strings.ReplaceAll(std, "/", `\/`), "data:image/jpeg;base64," + std,
		} {
			text, ok := base64Text([]byte(`"` + form + `"`))
			if !ok {
				t.Fatalf("%q is no text", form)
			}
			dst := make([]byte, decodedBytes(len(text)))
			if n, err := decodeBase64(dst, text); err != nil || !bytes.Equal(dst[:n], raw) {
				t.Errorf("%q became %q, %v", form, dst[:n], err)
			}
		}
	})
}

func FuzzInspect(f *testing.F) {
	for _, seed := range []string{
		"", "\xff\xd8\xff", "\xff\xd8\xff\xc0\x00\x0b\x08\x00\x01\x00\x02\x01\x01\x11\x00\xff\xda\x00\x03\x01a\xff\xd9", "\xff\xd8\xff\xe0\x00\x01", "\xff\xd8\xff\xe1\xff\xff",
		"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89", "\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR\x00\x00\x00\x00",
		"RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x01\x00\x00", "RIFF\xff\xff\xff\xffWEBPVP8 ", "RIFF\x16\x00\x00\x00WEBPVP8L\x05\x00\x00\x00/\xff\xff\xff\xff00000",
		"\x00\x00\x00\x10ftypheic\x00\x00\x00\x00mif1", "\x00\x00\x00\x10ftypavif\x00\x00\x00\x00", "GIF89a\x01\x00\x01\x00\x80\x00\x00",
		"BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x80\x01\x00\x18\x00" + strings.Repeat("\x00", 24),
		"II*\x00\x08\x00\x00\x00\x02\x00\x00\x01\x04\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01\x01\x04\x00\x01\x00\x00\x00\x01\x00\x00\x00", "MM\x00*\xff\xff\xff\xff",
		"%PDF-", "\r\n%PDF-1.4 %%EOF",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		info, known := Inspect(b)
		if !known && info != (Info{}) || known && info.MediaType == "" {
			t.Errorf("%+v, %t", info, known)
		}
		if info.Width < 0 || info.Height < 0 || info.Width > math.MaxInt32 || info.Height > math.MaxInt32 || (info.Width == 0) != (info.Height == 0) {
			t.Errorf("%+v", info)
		}
		// What a PDF begins with may look like anything.
		if cut, stillKnown := Inspect(b[:len(b)/2]); stillKnown && known && cut.MediaType != info.MediaType && info.MediaType != "application/pdf" {
			t.Errorf("half of %s is %s", info.MediaType, cut.MediaType)
		}
	})
}
