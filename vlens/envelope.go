package vlens

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// form is what a body turned out to be.
type form int

const (
	formEmpty form = iota
	formPage       // HTML or XML
	formOther      // cut JSON, anything else that is no JSON object
	formJSON       // one JSON object
)

// envelope is what all answers have in common: the vendor's {data, error_code,
// …} (docs.vlenseg.com, "Errors"), or that of the framework behind it,
// {success, error: {code, …}, unAuthorizedRequest} (ASP.NET Boilerplate,
// AjaxResponse). Names are taken in any case.
type envelope struct {
	form form
	// own says that members stand in it which only these two have: the vendor's
	// application gave the answer. A gateway's JSON has none of them.
	own bool
	// data holds the members of the data object; hasData tells an empty object
	// from null, absence and other types.
	data    []member
	hasData bool
	// failed says that the envelope states an error; code is its number, or 0
	// when it has none that can be read.
	failed bool
	code   int
	// unauthorized is ABP's word for a missing, expired or too weak token.
	unauthorized bool
}

// member is one member of an object. The value aliases the body.
type member struct {
	name  string
	value jsontext.Value
}

// maxMembers bounds what is kept of one object; the vendor's have six.
const maxMembers = 64

var byteOrderMark = []byte("\xef\xbb\xbf")

var errNoObject = errors.New("not an object")

// parseEnvelope reads a body without copying values, because the one value that
// matters may be megabytes long. A body that breaks off or has something behind
// the object is formOther.
func parseEnvelope(body []byte) envelope {
	body = bytes.TrimPrefix(body, byteOrderMark)
	switch text := bytes.TrimSpace(body); {
	case len(text) == 0:
		return envelope{form: formEmpty}
	case text[0] == '<':
		return envelope{form: formPage}
	}
	if short, ok := shorten(body); ok {
		// What is no object without the text may be one with it.
		if e := parse(short); e.form == formJSON {
			return e
		}
	}
	return parse(excerpt{text: body, body: body})
}

func parse(x excerpt) envelope {
	d := jsontext.NewDecoder(bytes.NewBuffer(x.text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	e, err := readEnvelope(d, x)
	if err != nil {
		return envelope{form: formOther}
	}
	return e
}

func readEnvelope(d *jsontext.Decoder, body excerpt) (envelope, error) {
	e := envelope{form: formJSON}
	err := eachMember(d, func(name string) error {
		e.own = e.own || isOwn(name)
		switch {
		case strings.EqualFold(name, "data") && d.PeekKind() == '{':
			members, err := readMembers(d, body)
			e.data, e.hasData = members, true
			return err
		case strings.EqualFold(name, "error_code"):
			value, err := d.ReadValue()
			if code, failed := errorCode(value); failed {
				e.failed, e.code = true, code
			}
			return err
		case strings.EqualFold(name, "error") && d.PeekKind() == '{':
			e.failed = true
			return e.readABPError(d, body)
		case strings.EqualFold(name, "success"):
			value, err := d.ReadValue()
			e.failed = e.failed || value.Kind() == 'f'
			return err
		case strings.EqualFold(name, "unAuthorizedRequest"):
			value, err := d.ReadValue()
			e.unauthorized = value.Kind() == 't'
			return err
		}
		return d.SkipValue()
	})
	if err != nil {
		return envelope{}, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return envelope{}, errors.New("something follows the object")
	}
	return e, nil
}

// isOwn reports whether a member of this name is in the vendor's envelopes and not
// in those that gateways and frameworks answer with ({"message": …}, {"error": …},
// problem details).
func isOwn(name string) bool {
	for _, own := range []string{"error_code", "error_message", "error_descriptions", "unAuthorizedRequest", "__abp"} {
		if strings.EqualFold(name, own) {
			return true
		}
	}
	return false
}

func (e *envelope) readABPError(d *jsontext.Decoder, body excerpt) error {
	members, err := readMembers(d, body)
	for _, m := range members {
		if strings.EqualFold(m.name, "code") && e.code == 0 {
			e.code, _ = errorCode(m.value)
		}
	}
	return err
}

// readMembers returns the members of the object that comes next.
func readMembers(d *jsontext.Decoder, body excerpt) ([]member, error) {
	var members []member
	err := eachMember(d, func(name string) error {
		value, err := d.ReadValue()
		if err == nil && len(members) < maxMembers {
			members = append(members, member{name, body.value(int(d.InputOffset()), len(value))})
		}
		return err
	})
	return members, err
}

// eachMember calls read with each name of the object that comes next; read
// takes the value off the decoder.
func eachMember(d *jsontext.Decoder, read func(name string) error) error {
	opening, err := d.ReadToken()
	if err != nil {
		return err
	}
	if opening.Kind() != '{' {
		return errNoObject
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := read(name.String()); err != nil {
			return err
		}
	}
	_, err = d.ReadToken()
	return err
}

// errorCode reads an error_code. null, 0, "" and absence all mean success: the
// vendor's own samples show each. Digits in a string are a number, too.
// Anything else states an error whose code cannot be read.
func errorCode(value jsontext.Value) (code int, failed bool) {
	text := string(value)
	if value.Kind() == '"' {
		unquoted, err := jsontext.AppendUnquote(nil, value)
		text = strings.TrimSpace(string(unquoted))
		if err == nil && text == "" {
			return 0, false
		}
	}
	if text == "null" {
		return 0, false
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || number != float64(int32(number)) {
		return 0, true
	}
	return int(number), number != 0
}
