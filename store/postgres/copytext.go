package postgres

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"vlens-archiver/store"
)

// userRows checks the rows of the user query on their way from one database to
// the other. It is a writer of COPY's text format with the fields id,
// transaction_id and verified_at (PostgreSQL documentation, COPY, "Text
// Format"), and passes on whole rows, unchanged.
//
// It only counts what it refuses: the rows are nobody's to print.
type userRows struct {
	to               io.Writer
	allowPersonalIDs bool

	line            []byte // the beginning of a row whose end has not come yet
	rows            int64
	nullIDs         int64
	personalIDs     int64
	badTransactions int64
}

var copyNull = []byte(`\N`)

// Write takes any piece of the stream.
func (r *userRows) Write(piece []byte) (int, error) {
	length := len(piece)
	whole := bytes.LastIndexByte(piece, '\n') + 1
	if whole == 0 {
		r.line = append(r.line, piece...)
		return length, nil
	}
	if len(r.line) > 0 {
		end := bytes.IndexByte(piece, '\n') + 1
		r.line = append(r.line, piece[:end]...)
		r.check(r.line)
		if _, err := r.to.Write(r.line); err != nil {
			return 0, err
		}
		r.line = r.line[:0]
		piece, whole = piece[end:], whole-end
	}
	for rest := piece[:whole]; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n') + 1
		r.check(rest[:end])
		rest = rest[end:]
	}
	r.line = append(r.line, piece[whole:]...)
	if whole == 0 {
		return length, nil
	}
	if _, err := r.to.Write(piece[:whole]); err != nil {
		return 0, err
	}
	return length, nil
}

func (r *userRows) check(row []byte) {
	r.rows++
	id, rest, _ := bytes.Cut(row, []byte{'\t'})
	transaction, _, _ := bytes.Cut(rest, []byte{'\t'})
	switch {
	case len(id) == 0 || bytes.Equal(id, copyNull):
		r.nullIDs++
	case !r.allowPersonalIDs && personal(id):
		r.personalIDs++
	}
	if !bytes.Equal(transaction, copyNull) && !isUUID(transaction) {
		r.badTransactions++
	}
}

// err is store.ErrSource when rows were refused.
func (r *userRows) err() error {
	var faults []string
	fault := func(n int64, what string) {
		if n > 0 {
			faults = append(faults, fmt.Sprintf("%d rows %s", n, what))
		}
	}
	fault(r.nullIDs, "have no id")
	fault(r.personalIDs, "have an id that looks like a phone number, an email or a national id (use another id, or set source.allow_personal_ids)")
	fault(r.badTransactions, "have a transaction_id that is no UUID")
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: of %d rows of source.users_sql, %s", store.ErrSource, r.rows, strings.Join(faults, ", "))
}

// isUUID expects lower case, 8-4-4-4-12 hex digits.
func isUUID(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for place, c := range text {
		if place == 8 || place == 13 || place == 18 || place == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// nationalIDDigits is the length of an Egyptian national id.
const nationalIDDigits = 14

// personal reports whether an id is shaped like an email, a phone number (with
// its country code, or an Egyptian mobile number) or a national id. Plain
// numbers of other lengths pass: they are how databases count.
func personal(id []byte) bool {
	if at := bytes.IndexByte(id, '@'); at > 0 && bytes.IndexByte(id[at:], '.') > 1 {
		return true
	}
	var digits [16]byte
	n := 0
	plus := false
	for place, c := range id {
		switch {
		case c >= '0' && c <= '9':
			if n == len(digits) {
				return false
			}
			digits[n] = c
			n++
		case c == '+' && place == 0:
			plus = true
		case c == ' ' || c == '-' || c == '(' || c == ')' || c == '.':
		default:
			return false
		}
	}
	number := string(digits[:n])
	switch {
	case n == nationalIDDigits:
		return true
	case plus:
		return n >= 8 && n <= 15
	}
	for _, prefix := range []string{"0020", "20", "0"} {
		if rest, ok := strings.CutPrefix(number, prefix); ok && egyptianMobile(rest) {
			return true
		}
	}
	return len(number) >= 10 && strings.HasPrefix(number, "00")
}

// egyptianMobile: 10, 11, 12 or 15 and eight digits (National Telecom
// Regulatory Authority of Egypt, numbering plan).
func egyptianMobile(number string) bool {
	return len(number) == 10 && number[0] == '1' && strings.IndexByte("0125", number[1]) >= 0
}
