package store

import (
	"crypto/sha256"
	"io"
	"time"
)

// PutRequest is one object to write. Without IfMatch the write is create-only:
// an existing key is never replaced.
type PutRequest struct {
	Key string
	// Body is read from its start, once for every try; it stays the caller's.
	Body        io.ReadSeeker
	Size        int64 // of Body, bytes
	ContentType string
	SHA256      [sha256.Size]byte // of Body; the service checks it
	Metadata    map[string]string
	// Unlocked leaves out the object lock headers.
	Unlocked bool
	// IfMatch, when set, replaces the object whose ETag it is, and no other.
	IfMatch string
}

// Object is what the bucket says of one version of one object.
type Object struct {
	Key          string
	VersionID    string // "" when the object has no version: see KnownVersion
	ETag         string // without quotes
	Size         int64  // bytes
	LastModified time.Time
	SHA256       string // lower-case hex; "" when the service does not tell
	ContentType  string
	Metadata     map[string]string
	LockMode     string    // "", "governance" or "compliance"
	RetainUntil  time.Time // zero without a lock
	// Latest and DeleteMarker are set by a listing of versions only.
	Latest       bool
	DeleteMarker bool
}

// KnownVersion is a version id as Object has it. S3 lists an object that was written
// without versioning, or while it was suspended, as version "null"; when such an
// object is written or read it names "null" if versioning is suspended, and no version
// if the bucket never had it.
func KnownVersion(id string) string {
	if id == "null" {
		return ""
	}
	return id
}

// SameVersion reports whether two ids name the same version of a key. Ledgers and
// records of earlier releases may have "null".
func SameVersion(a, b string) bool { return KnownVersion(a) == KnownVersion(b) }

// Location says where objects are kept, in the words of a record.
type Location struct {
	Endpoint   string // "" means AWS itself
	Region     string
	Bucket     string
	Encryption string // none, sse-s3 or sse-kms
	LockMode   string // none, governance or compliance
	LockDays   int    // 0 without a lock
}
