package manifest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"vlens-archiver/store"
)

// RecordSchema names the format of a record.
const RecordSchema = "vlens-archive/record/v1"

// What the JSON Schemas in docs/ name. A new kind is also a new version of
// RecordSchema: those of this version state these kinds.
const (
	kindsOfSchema   = 6
	classesOfSchema = 17
)

var (
	_ = [1]struct{}{}[store.KindCount-kindsOfSchema]
	_ = [1]struct{}{}[store.ClassCount-classesOfSchema]
)

const nonceBytes = 32

// Record states what was archived for one subject and transaction. It is
// written after its images and is their commit mark in the bucket.
type Record struct {
	Schema string `json:"schema"`
	// Nonce keeps the record's hash, which stands in the log for ever, from
	// saying anything about a person once the record itself is gone.
	Nonce         []byte        `json:"nonce"`
	Subject       store.Subject `json:"subject"`
	TransactionID *string       `json:"transaction_id"`
	Sequence      int           `json:"sequence"`
	RunID         string        `json:"run_id"`
	ArchivedAt    time.Time     `json:"archived_at"`
	Source        Source        `json:"source"`
	Images        []Image       `json:"images"`
	Storage       Storage       `json:"storage"`
	Tool          Tool          `json:"tool"`
}

// Source says where the images came from. Identifier is the kind of identifier
// that the vendor knew the user by, "phone" or "email", never its value. The
// provenance is the listing's; records of earlier builds do not state it.
type Source struct {
	BaseURL    string `json:"base_url"`
	Identifier string `json:"identifier"`
	*Provenance
}

// Storage says where and how the objects are kept. RetainUntil is the lock of
// the record itself, null without one.
type Storage struct {
	Endpoint    string     `json:"endpoint"`
	Region      string     `json:"region"`
	Bucket      string     `json:"bucket"`
	Encryption  string     `json:"encryption"`
	LockMode    string     `json:"lock_mode"`
	RetainUntil *time.Time `json:"retain_until"`
}

// NewStorage states a location for an object that is written now. Locks end with a
// full second.
func NewStorage(l store.Location, now time.Time) Storage {
	storage := Storage{
		Endpoint:   l.Endpoint,
		Region:     l.Region,
		Bucket:     l.Bucket,
		Encryption: l.Encryption,
		LockMode:   l.LockMode,
	}
	if l.LockDays > 0 {
		until := Time(now.AddDate(0, 0, l.LockDays)).Truncate(time.Second)
		storage.RetainUntil = &until
	}
	return storage
}

// Tool is the program that wrote a file.
type Tool struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

// NewNonce draws the nonce of one record.
func NewNonce() []byte {
	nonce := make([]byte, nonceBytes)
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the program instead
	return nonce
}

// Encode gives the record's exact bytes: indented JSON and a final newline.
func (r Record) Encode() ([]byte, error) {
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return append(body, '\n'), nil
}

// DecodeRecord reads a record and checks that it is one: the schema, a whole
// nonce, and each kind at least once. Later builds may state more under the same
// schema; what this one does not know it leaves alone.
func DecodeRecord(body []byte) (Record, error) {
	var versioned struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(body, &versioned); err == nil && versioned.Schema != RecordSchema {
		return Record{}, fmt.Errorf("decode record: schema %q is not known to this program, which knows %q", versioned.Schema, RecordSchema)
	}
	var r Record
	if err := json.Unmarshal(body, &r); err != nil {
		return Record{}, fmt.Errorf("decode record: %w", err)
	}
	if len(r.Nonce) != nonceBytes {
		return Record{}, fmt.Errorf("decode record: nonce has %d bytes, not %d", len(r.Nonce), nonceBytes)
	}
	for _, kind := range store.Kinds {
		if !slices.ContainsFunc(r.Images, func(i Image) bool { return i.Kind == kind }) {
			return Record{}, fmt.Errorf("decode record: nothing is said of %s", kind)
		}
	}
	return r, nil
}

// SameImages reports whether two records state the same images: kind, state,
// hash and ref.
func (r Record) SameImages(images []Image) bool {
	return slices.Equal(identities(r.Images), identities(images))
}

type imageIdentity struct {
	kind   store.Kind
	state  store.ImageState
	sha256 string
	ref    store.Ref
}

func identities(images []Image) []imageIdentity {
	ids := make([]imageIdentity, len(images))
	for n, i := range images {
		ids[n] = imageIdentity{kind: i.Kind, state: i.State, sha256: value(i.SHA256), ref: value(i.Ref)}
	}
	return ids
}
