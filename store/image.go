package store

import (
	"math"
	"time"
)

// ImageState is what became of one kind of a verification.
type ImageState string

// The image states.
const (
	ImageStored   ImageState = "stored"   // the object is in the bucket
	ImageAbsent   ImageState = "absent"   // the listing has no reference for the kind
	ImageGone     ImageState = "gone"     // listed, but the vendor no longer has it
	ImageRejected ImageState = "rejected" // the bytes are no image, or too large
	ImageFailed   ImageState = "failed"   // it could not be fetched or stored
)

// Flag marks a stored image that an auditor should know about.
type Flag string

// The flags.
const (
	// FlagTruncated: the image lacks its end, also when fetched a second time.
	FlagTruncated Flag = "truncated"
	// FlagConflict: other bytes are stored under the same kind and reference.
	FlagConflict Flag = "conflict"
	// FlagTiny: less than TinySide pixels wide or high.
	FlagTiny Flag = "tiny"
)

// TinySide is the width and height in pixels below which an image can hardly show
// what it is kept for.
const TinySide = 100

// Pixels is a width or height as the ledger holds it: 0, which is unknown, for
// one that no column has room for, whatever the header of a file claims.
func Pixels(claimed int) int {
	if claimed < 1 || claimed > math.MaxInt32 {
		return 0
	}
	return claimed
}

// Image is one image of a subject and transaction, as record and ledger state
// it. Key, VersionID, ETag, Bytes, MediaType, Width, Height, SHA256 and
// FetchedAt are set only when State is ImageStored; Class only when the image
// is gone, rejected or failed; Ref is empty when it is absent.
type Image struct {
	Kind      Kind
	State     ImageState
	Class     Class
	Ref       Ref
	Key       string
	VersionID string
	ETag      string
	Bytes     int64
	MediaType string
	Width     int // pixels; 0 when unknown
	Height    int
	SHA256    string // lower-case hex, of the decoded image bytes
	Flags     []Flag
	FetchedAt time.Time
	// Source is known while an image is archived, and to its record. The ledger does
	// not keep it.
	Source Provenance
}

// Provenance names the vendor's answer behind a fact, for questions to the vendor.
type Provenance struct {
	RequestID  string    // the X-Request-Id that was sent; "" when unknown
	VendorDate time.Time // the Date of the answer; zero when unknown
}

// Noted reports whether the ledger keeps the finding although no record states it:
// that the vendor said once that an image is gone, or that other bytes stand in its
// place.
func (i Image) Noted() bool { return i.State == ImageFailed && i.Class.Settled() }
