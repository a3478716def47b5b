package vlens

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Field is one of the images in a listing.
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

	// FieldCount is the number of fields.
	FieldCount = iota
)

var fieldNames = [...]string{
	"idFrontImage", "idBackImage", "livenessImage",
	"livenessFace01Image", "livenessFace02Image", "livenessFace03Image",
}

var _ = [1]struct{}{}[FieldCount-len(fieldNames)] // a field has no name

// String is the field's name in the listing.
func (f Field) String() string { return fieldNames[f] }

// Listing is what the vendor has of one user.
type Listing struct {
	// References are indexed by Field.
	References [FieldCount]Reference
	// TransactionID is a lower-case UUID, or empty when the listing tells none: of
	// a field of its own, else of the first reference that has one.
	TransactionID string
	// Provenance names the request that brought it.
	Provenance
}

// Reference is what the listing gives for one image.
type Reference struct {
	// FileName is empty when there is no such image.
	FileName string
	// TransactionID is a lower-case UUID, or empty when the value told none.
	TransactionID string
}

// parseListing reports false for a value that is neither a text nor null, and for
// members of which none is an image's: an unknown shape must not pass for "no
// image".
func parseListing(data []member) (Listing, bool) {
	var l Listing
	known := len(data) == 0
	for _, m := range data {
		field, isField := fieldOf(m.name)
		known = known || isField
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
	return l, known
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
