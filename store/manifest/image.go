package manifest

import (
	"time"

	"vlens-archiver/store"
)

// Image is one image as a record states it. What does not apply is null.
type Image struct {
	Kind      store.Kind       `json:"kind"`
	State     store.ImageState `json:"state"`
	Class     *store.Class     `json:"class"`
	Ref       *store.Ref       `json:"ref"`
	Key       *string          `json:"key"`
	VersionID *string          `json:"version_id"`
	Bytes     *int64           `json:"bytes"`
	MediaType *string          `json:"media_type"`
	Width     *int             `json:"width"`
	Height    *int             `json:"height"`
	SHA256    *string          `json:"sha256"`
	FetchedAt *time.Time       `json:"fetched_at"`
	Flags     []store.Flag     `json:"flags"`
	// Source is not stated by earlier builds, nor where it is not known.
	Source *Provenance `json:"source,omitempty"`
}

// Provenance names the vendor's answer that a statement goes back to.
type Provenance struct {
	RequestID  string     `json:"request_id"`
	VendorDate *time.Time `json:"vendor_date"` // null when the answer had no Date
}

// NewProvenance states where a fact is from; nil when that is not known.
func NewProvenance(p store.Provenance) *Provenance {
	if p.RequestID == "" {
		return nil
	}
	stated := &Provenance{RequestID: p.RequestID}
	if !p.VendorDate.IsZero() {
		date := Time(p.VendorDate)
		stated.VendorDate = &date
	}
	return stated
}

// NewImage states an image in the form of a record.
func NewImage(i store.Image) Image {
	stated := Image{
		Kind:      i.Kind,
		State:     i.State,
		Class:     known(i.Class),
		Ref:       known(i.Ref),
		Key:       known(i.Key),
		VersionID: known(i.VersionID),
		MediaType: known(i.MediaType),
		Width:     known(i.Width),
		Height:    known(i.Height),
		SHA256:    known(i.SHA256),
		Flags:     append([]store.Flag{}, i.Flags...),
		Source:    NewProvenance(i.Source),
	}
	if i.State == store.ImageStored {
		stated.Bytes = &i.Bytes
		fetched := Time(i.FetchedAt)
		stated.FetchedAt = &fetched
	}
	return stated
}

// Stored is the image in the words of the ledger. A record does not hold the
// ETag. One of an earlier version may claim more pixels than the ledger holds.
func (i Image) Stored() store.Image {
	return store.Image{
		Kind:      i.Kind,
		State:     i.State,
		Class:     value(i.Class),
		Ref:       value(i.Ref),
		Key:       value(i.Key),
		VersionID: value(i.VersionID),
		Bytes:     value(i.Bytes),
		MediaType: value(i.MediaType),
		Width:     store.Pixels(value(i.Width)),
		Height:    store.Pixels(value(i.Height)),
		SHA256:    value(i.SHA256),
		FetchedAt: value(i.FetchedAt),
		Flags:     i.Flags,
	}
}

// Time is the instant as every file of the archive states it: UTC, to the
// millisecond, so that reading back yields the same.
func Time(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

func known[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
