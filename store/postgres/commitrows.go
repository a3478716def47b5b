package postgres

import (
	"time"

	"vlens-archiver/store"
)

// imageRow is an image as the commit statement reads it.
type imageRow struct {
	Transaction string           `json:"transaction_id"`
	Kind        store.Kind       `json:"kind"`
	Ref         store.Ref        `json:"ref"`
	State       store.ImageState `json:"state"`
	Class       store.Class      `json:"class"`
	Key         string           `json:"key"`
	VersionID   string           `json:"version_id"`
	ETag        string           `json:"etag"`
	Bytes       int64            `json:"bytes"`
	MediaType   string           `json:"media_type"`
	Width       int              `json:"width"`
	Height      int              `json:"height"`
	SHA256      string           `json:"sha256"`
	Flags       []store.Flag     `json:"flags"`
	FetchedAt   *time.Time       `json:"fetched_at"`
}

func imageRows(result store.Result) []imageRow {
	rows := make([]imageRow, 0, len(result.Earlier)+len(result.Images))
	for _, image := range result.Earlier {
		rows = append(rows, newImageRow(image.Transaction, image.Image))
	}
	for _, image := range result.Images {
		rows = append(rows, newImageRow(result.Transaction, image))
	}
	return rows
}

func newImageRow(transaction string, image store.Image) imageRow {
	return imageRow{
		Transaction: transaction, Kind: image.Kind, Ref: image.Ref, State: image.State, Class: image.Class, Key: image.Key,
		VersionID: image.VersionID, ETag: image.ETag, Bytes: image.Bytes, MediaType: image.MediaType,
		Width: image.Width, Height: image.Height, SHA256: image.SHA256,
		Flags: append([]store.Flag{}, image.Flags...), FetchedAt: orNull(image.FetchedAt),
	}
}

// recordRow is a record as the commit statement reads it.
type recordRow struct {
	Transaction string    `json:"transaction_id"`
	Key         string    `json:"key"`
	Sequence    int       `json:"sequence"`
	VersionID   string    `json:"version_id"`
	SHA256      string    `json:"sha256"`
	ArchivedAt  time.Time `json:"archived_at"`
}

func recordRows(records []store.RecordRef) []recordRow {
	rows := make([]recordRow, 0, len(records))
	for _, r := range records {
		rows = append(rows, recordRow{
			Transaction: r.Transaction, Key: r.Key, Sequence: r.Sequence, VersionID: r.VersionID, SHA256: r.SHA256, ArchivedAt: r.ArchivedAt,
		})
	}
	return rows
}
