package export

import (
	"encoding/hex"
	"encoding/json"
	"path"
	"time"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// Schema names the format of export.json.
const Schema = "vlens-archive/export/v1"

// Index says what an export holds: the content of data/export.json. Paths are
// those in the bag.
type Index struct {
	Schema     string        `json:"schema"`
	ID         string        `json:"id"` // of the statement under audit/
	ExportedAt time.Time     `json:"exported_at"`
	Subject    store.Subject `json:"subject"`
	// Log is the checkpoint that the proofs lead to; null when there is no log.
	Log         *manifest.LogHead `json:"log"`
	VerifierKey *string           `json:"verifier_key"` // null when it is not known here
	Records     []Record          `json:"records"`
	Images      []Image           `json:"images"`
	Tool        manifest.Tool     `json:"tool"`
}

// Record is a record in an export. Proof is null when the record is not
// in the log yet; LogIndex is null when it has no place there either. InLedger
// is false for a record that a process left that died before its commit.
type Record struct {
	Path          string    `json:"path"`
	TransactionID *string   `json:"transaction_id"`
	Sequence      int       `json:"sequence"`
	ArchivedAt    time.Time `json:"archived_at"`
	SHA256        string    `json:"sha256"`
	LogIndex      *int64    `json:"log_index"`
	Proof         *string   `json:"proof"` // path
	InLedger      bool      `json:"in_ledger"`
}

// Image is an image in an export.
type Image struct {
	Path      string       `json:"path"`
	Kind      store.Kind   `json:"kind"`
	SHA256    string       `json:"sha256"`
	Bytes     int64        `json:"bytes"`
	MediaType string       `json:"media_type"`
	FetchedAt time.Time    `json:"fetched_at"`
	Flags     []store.Flag `json:"flags"`
}

// Sealed is how many records have their proof.
func (x Index) Sealed() int {
	sealed := 0
	for _, record := range x.Records {
		if record.Proof != nil {
			sealed++
		}
	}
	return sealed
}

// Bytes is the size of the images.
func (x Index) Bytes() int64 {
	var bytes int64
	for _, image := range x.Images {
		bytes += image.Bytes
	}
	return bytes
}

// describe says what the bag will hold, in the order in which it is written.
func (e Exporter) describe(found *gathered, head audit.LogHead) Index {
	x := Index{
		Schema: Schema, Subject: found.subject, Tool: e.Tool,
		Records: []Record{}, Images: []Image{},
	}
	if head.Body != nil {
		x.Log = &manifest.LogHead{Size: head.Size, Root: head.Root.String()}
	}
	if e.VerifierKey != "" {
		x.VerifierKey = &e.VerifierKey
	}
	for _, record := range found.records {
		stated := Record{
			Path:          payloadPath(e.Layout.Relative(record.Key)),
			TransactionID: record.TransactionID,
			Sequence:      record.Sequence,
			ArchivedAt:    record.ArchivedAt,
			SHA256:        hex.EncodeToString(record.SHA256[:]),
			InLedger:      record.inLedger,
		}
		if record.index >= 0 {
			stated.LogIndex = &record.index
		}
		if record.proof != nil {
			proof := proofPath(stated.Path)
			stated.Proof = &proof
		}
		x.Records = append(x.Records, stated)
	}
	for _, image := range found.images {
		x.Images = append(x.Images, Image{
			Path: payloadPath(e.Layout.Relative(image.Key)), Kind: image.Kind, SHA256: image.SHA256, Bytes: image.Bytes,
			MediaType: image.MediaType, FetchedAt: image.FetchedAt, Flags: append([]store.Flag{}, image.Flags...),
		})
	}
	return x
}

// proofPath is the path of a record's proof: beside it, under its name.
func proofPath(record string) string {
	return record[:len(record)-len(path.Ext(record))] + ".tlog-proof"
}

// Encode gives the exact bytes of export.json.
func (x Index) Encode() ([]byte, error) {
	body, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(body, '\n'), nil
}
