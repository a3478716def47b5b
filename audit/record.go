package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// Record is a record as the bucket has it.
type Record struct {
	manifest.Record
	Key    string
	Place  manifest.SubjectObject // what the key says
	Body   []byte                 // the exact bytes
	SHA256 [sha256.Size]byte      // of Body
}

// ReadRecord reads a record and makes sure that it is the one of its key; what
// is none is ErrDamaged.
func ReadRecord(ctx context.Context, from Getter, layout manifest.Layout, key, versionID string) (Record, error) {
	place, ours := layout.ParseSubjectObject(key)
	if !ours || place.Sequence == 0 {
		return Record{}, Damaged(key, "it is no key of a record")
	}
	body, _, err := ReadSmall(ctx, from, key, versionID)
	if errors.Is(err, store.ErrNotFound) {
		return Record{}, Damaged(key, "it is missing")
	}
	if err != nil {
		return Record{}, err
	}
	record, err := manifest.DecodeRecord(body)
	if err == nil {
		err = InPlace(record, place)
	}
	if err != nil {
		return Record{}, Damaged(key, "%v", err)
	}
	return Record{Record: record, Key: key, Place: place, Body: body, SHA256: sha256.Sum256(body)}, nil
}

// InPlace makes sure that a record is the one of its place.
func InPlace(record manifest.Record, place manifest.SubjectObject) error {
	switch {
	case record.Subject != place.Subject:
		return errors.New("it is the record of another subject")
	case record.Sequence != place.Sequence:
		return fmt.Errorf("its sequence is %d, %d is due", record.Sequence, place.Sequence)
	case OrEmpty(record.TransactionID) != OrEmpty(manifest.TransactionID(place.Transaction)):
		return errors.New("it is the record of another transaction")
	}
	return nil
}

// OrEmpty is what a field states that may be null: "" then.
func OrEmpty[T ~string](field *T) T {
	if field == nil {
		return ""
	}
	return *field
}
