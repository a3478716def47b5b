package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"vlens-archiver/store"
)

// userRows checks the rows of the user query on their way from one database to
// the other. It is a writer of COPY's binary format (PostgreSQL documentation,
// COPY, "Binary Format") with the fields id and transaction_id as text and
// verified_at as timestamptz; it writes the same with transaction_id as uuid.
// Binary rows cost neither database the printing and reading of times, and hold
// no escapes.
//
// It only counts what it refuses: the rows are nobody's to print.
type userRows struct {
	to               io.Writer
	allowPersonalIDs bool

	pending []byte // the beginning of what has not come whole yet
	started bool   // the header has been read
	row     []byte // the row being written

	rows            int64
	nullIDs         int64
	personalIDs     int64
	badTransactions int64
}

const (
	userFields = 3
	copyFlags  = 8 // bytes for flags and the length of an extension, all zero
)

var (
	copySignature = []byte("PGCOPY\n\xff\r\n\x00")
	copyTrailer   = []byte{0xff, 0xff}

	errCopyFormat = errors.New("the answer to COPY is not in its binary format")
)

// Write takes any piece of the stream.
func (r *userRows) Write(piece []byte) (int, error) {
	rest := piece
	if len(r.pending) > 0 {
		r.pending = append(r.pending, piece...)
		rest = r.pending
	}
	for {
		length, err := r.take(rest)
		if err != nil {
			return 0, err
		}
		if length == 0 {
			break
		}
		rest = rest[length:]
	}
	r.pending = append(r.pending[:0], rest...)
	return len(piece), nil
}

// take reads the header, a row or the trailer, and returns its length; 0 when it
// is not there whole.
func (r *userRows) take(stream []byte) (int, error) {
	if !r.started {
		return r.takeHeader(stream)
	}
	if len(stream) < 2 {
		return 0, nil
	}
	if bytes.Equal(stream[:2], copyTrailer) {
		_, err := r.to.Write(copyTrailer)
		return 2, err
	}
	if binary.BigEndian.Uint16(stream) != userFields {
		return 0, errCopyFormat
	}
	var fields [userFields][]byte // nil is NULL
	length := 2
	for n := range fields {
		if len(stream) < length+4 {
			return 0, nil
		}
		size := int32(binary.BigEndian.Uint32(stream[length:]))
		length += 4
		if size < 0 {
			continue
		}
		if len(stream) < length+int(size) {
			return 0, nil
		}
		fields[n] = stream[length : length+int(size)]
		length += int(size)
	}
	_, err := r.to.Write(r.check(fields))
	return length, err
}

func (r *userRows) takeHeader(stream []byte) (int, error) {
	length := len(copySignature) + copyFlags
	if len(stream) < length {
		return 0, nil
	}
	if !bytes.HasPrefix(stream, copySignature) || binary.BigEndian.Uint64(stream[len(copySignature):]) != 0 {
		return 0, errCopyFormat
	}
	r.started = true
	_, err := r.to.Write(stream[:length])
	return length, err
}

// check counts what is wrong with a row and returns the row to write, which is
// valid until the next.
func (r *userRows) check(fields [userFields][]byte) []byte {
	id, transaction, verified := fields[0], fields[1], fields[2]
	r.rows++
	switch {
	case len(id) == 0:
		r.nullIDs++
		id = []byte{} // NULL would end the copy before all are counted
	case !r.allowPersonalIDs && store.LooksPersonal(id):
		r.personalIDs++
	}

	r.row = append(r.row[:0], 0, userFields)
	r.row = appendField(r.row, id)
	if transaction = bytes.TrimSpace(transaction); len(transaction) == 0 {
		r.row = appendField(r.row, nil)
	} else {
		var uuid [16]byte
		if !parseUUID(&uuid, transaction) {
			r.badTransactions++
		}
		r.row = appendField(r.row, uuid[:])
	}
	if !finite(verified) {
		verified = nil
	}
	r.row = appendField(r.row, verified)
	return r.row
}

func appendField(row, field []byte) []byte {
	if field == nil {
		return append(row, 0xff, 0xff, 0xff, 0xff)
	}
	row = binary.BigEndian.AppendUint32(row, uint32(len(field)))
	return append(row, field...)
}

// finite is false for the times "infinity" and "-infinity", which are no times.
func finite(timestamp []byte) bool {
	if len(timestamp) != 8 {
		return false
	}
	microseconds := int64(binary.BigEndian.Uint64(timestamp))
	return microseconds != math.MaxInt64 && microseconds != math.MinInt64
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

// parseUUID reads 8-4-4-4-12 hex digits.
func parseUUID(uuid *[16]byte, text []byte) bool {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	var digits [32]byte
	n := copy(digits[:], text[:8])
	n += copy(digits[n:], text[9:13])
	n += copy(digits[n:], text[14:18])
	n += copy(digits[n:], text[19:23])
	copy(digits[n:], text[24:])
	_, err := hex.Decode(uuid[:], digits[:])
	return err == nil
}
