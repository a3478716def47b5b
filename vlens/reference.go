package vlens

import (
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Field is one of the six images in a listing.
type Field int

// The fields, in the vendor's order (docs.vlenseg.com, "Get User Digital
// Identity Images").
const (
	IDFrontImage Field = iota
	IDBackImage
	LivenessImage
	LivenessFace01Image
	LivenessFace02Image
	LivenessFace03Image
)

// FieldCount is the number of fields.
const FieldCount = 6

var fieldNames = [FieldCount]string{
	"idFrontImage", "idBackImage", "livenessImage",
	"livenessFace01Image", "livenessFace02Image", "livenessFace03Image",
}

// String is the field's name in the listing.
func (f Field) String() string { return fieldNames[f] }

// Listing is what the vendor has of one user.
type Listing struct {
	// References are indexed by Field.
	References [FieldCount]Reference
	// TransactionID is a lower-case UUID, or empty when the listing tells none: of
	// a field of its own, else of the first reference that has one.
	TransactionID string
}

// Reference is what the listing gives for one image.
type Reference struct {
	// FileName is empty when there is no such image.
	FileName string
	// TransactionID is a lower-case UUID, or empty when the value told none.
	TransactionID string
}

// parseListing reports false for a value that is neither a text nor null: an
// unknown shape must not pass for "no image".
func parseListing(data []member) (Listing, bool) {
	var l Listing
	for _, m := range data {
		field, isField := fieldOf(m.name)
		isTransaction := strings.EqualFold(m.name, "transactionId") || strings.EqualFold(m.name, "transaction_id")
		if !isField && !isTransaction {
			continue
		}
		text, ok := textOf(m.value)
		if !ok && isField {
			return Listing{}, false
		}
		if isTransaction {
			if id, ok := parseTransactionID(text); ok {
				l.TransactionID = id
			}
			continue
		}
		if l.References[field], ok = parseReference(text); !ok {
			return Listing{}, false
		}
	}
	for _, r := range l.References {
		if l.TransactionID == "" {
			l.TransactionID = r.TransactionID
		}
	}
	return l, true
}

func fieldOf(name string) (Field, bool) {
	for n, known := range fieldNames {
		if strings.EqualFold(name, known) {
			return Field(n), true
		}
	}
	return 0, false
}

// textOf is the text of a JSON string, or of null, which is empty.
func textOf(value jsontext.Value) (string, bool) {
	switch value.Kind() {
	case 'n':
		return "", true
	case '"':
		text, err := jsontext.AppendUnquote(nil, value)
		return string(text), err == nil
	}
	return "", false
}

// parseReference takes the file name and the transaction out of a listed value.
// One page of the vendor shows bare names, another speaks of URLs made of both;
// host and path of a URL mean nothing here, because only the configured host is
// ever asked. It reports false for a URL that names no file.
func parseReference(text string) (Reference, bool) {
	text = strings.TrimSpace(text)
	location, query, hasQuery := strings.Cut(text, "?")
	fileName, transaction, named := readQuery(query)
	if named {
		// Without a name this is a link to nothing: the vendor has no such image.
		if fileName == "" {
			return Reference{}, true
		}
		return Reference{FileName: fileName, TransactionID: transaction}, true
	}
	isURL := strings.Contains(location, "://") || strings.HasPrefix(location, "/") || hasQuery && transaction != ""
	if !isURL {
		return Reference{FileName: text}, true
	}
	if fileName = lastSegment(location); fileName == "" {
		return Reference{}, false
	}
	return Reference{FileName: fileName, TransactionID: transaction}, true
}

// readQuery finds the two parameters, their names in any case. It reports
// whether there is a FileName, even an empty one.
func readQuery(query string) (fileName, transaction string, named bool) {
	query, _, _ = strings.Cut(query, "#")
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		// A name that was never encoded stays as it is.
		if decoded, err := url.QueryUnescape(value); err == nil {
			value = decoded
		}
		switch {
		case strings.EqualFold(name, "FileName"):
			fileName, named = value, true
		case strings.EqualFold(name, "TransactionId"), strings.EqualFold(name, "transaction_id"):
			transaction, _ = parseTransactionID(value)
		}
	}
	return fileName, transaction, named
}

func lastSegment(location string) string {
	location, _, _ = strings.Cut(location, "#")
	if _, path, ok := strings.Cut(location, "://"); ok {
		_, location, _ = strings.Cut(path, "/")
	}
	location = strings.TrimRight(location, "/")
	segment := location[strings.LastIndexByte(location, '/')+1:]
	if decoded, err := url.PathUnescape(segment); err == nil {
		return decoded
	}
	return segment
}

// parseTransactionID takes a UUID in any case, in braces or not, and returns it
// in lower case. The nil UUID is what .NET sends for "none".
func parseTransactionID(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "{"); ok {
		text, ok = strings.CutSuffix(inner, "}")
		if !ok {
			return "", false
		}
	}
	if len(text) != 36 {
		return "", false
	}
	id := []byte(strings.ToLower(text))
	if len(id) != 36 {
		return "", false
	}
	isNil := true
	for n, b := range id {
		switch {
		case n == 8 || n == 13 || n == 18 || n == 23:
			if b != '-' {
				return "", false
			}
		case '0' <= b && b <= '9' || 'a' <= b && b <= 'f':
			isNil = isNil && b == '0'
		default:
			return "", false
		}
	}
	if isNil {
		return "", false
	}
	return string(id), true
}
