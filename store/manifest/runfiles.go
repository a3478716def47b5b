package manifest

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"vlens-archiver/store"
)

// Line is one user of a run, a line of manifest.jsonl.gz.
type Line struct {
	Subject store.Subject `json:"subject"`
	Outcome store.Outcome `json:"outcome"`
	// State is where the outcome left the user; "" in manifests of earlier builds.
	State         store.State  `json:"state,omitempty"`
	Class         *store.Class `json:"class"`
	TransactionID *string      `json:"transaction_id"`
	RecordKey     *string      `json:"record_key"`
	RecordSHA256  *string      `json:"record_sha256"`
	Images        []LineImage  `json:"images"`
	Requests      int          `json:"requests"`
}

// LineImage is one image in a Line.
type LineImage struct {
	Kind   store.Kind       `json:"kind"`
	State  store.ImageState `json:"state"`
	Key    *string          `json:"key"`
	SHA256 *string          `json:"sha256"`
	Bytes  *int64           `json:"bytes"`
}

// NewLine states a user of a run in the form of the manifest.
func NewLine(e store.RunEntry) Line {
	line := Line{
		Subject:       e.Subject,
		Outcome:       e.Outcome,
		State:         e.State,
		Class:         known(e.Class),
		TransactionID: TransactionID(e.Transaction),
		RecordKey:     known(e.Record.Key),
		RecordSHA256:  known(e.Record.SHA256),
		Images:        make([]LineImage, 0, len(e.Images)),
		Requests:      e.Requests,
	}
	for _, i := range e.Images {
		stated := NewImage(i)
		line.Images = append(line.Images, LineImage{i.Kind, i.State, stated.Key, stated.SHA256, stated.Bytes})
	}
	return line
}

// Summary is summary.json: the statement of a run. Counts are of users unless
// the name says otherwise; Bytes are of images stored by the run.
type Summary struct {
	RunID           string                  `json:"run_id"`
	Kind            store.RunKind           `json:"kind"`
	Status          store.RunStatus         `json:"status"`
	StartedAt       time.Time               `json:"started_at"`
	EndedAt         time.Time               `json:"ended_at"`
	Users           map[string]int64        `json:"users"` // every state, and left, unlisted and total
	Outcomes        map[store.Outcome]int64 `json:"outcomes"`
	Failures        map[store.Class]int64   `json:"failures"`
	Images          int64                   `json:"images"`
	Bytes           int64                   `json:"bytes"`
	Requests        map[string]int64        `json:"requests"`
	OldestPendingAt *time.Time              `json:"oldest_pending_at"`
	DueLeft         int64                   `json:"due_left"`
	LeftHeld        int64                   `json:"left_held"`
	Log             *LogHead                `json:"log"`
	Tool            Tool                    `json:"tool"`
	Notes           []string                `json:"notes"`
}

// LogHead is the checkpoint of the log that was the last one when the summary
// was written. It covers every record of the run, and not the run itself, whose
// entry is the hash of a file that names the summary. Null: not all was sealed.
type LogHead struct {
	Size int64  `json:"size"` // entries
	Root string `json:"root"` // base64 of the tree's root hash
}

// NewLogHead states the head of a log, nil before its first checkpoint.
func NewLogHead(head store.LogHead) *LogHead {
	if head.Size == 0 {
		return nil
	}
	return &LogHead{Size: head.Size, Root: head.Root}
}

// NewSummary states the totals of a run that ended at the given time. Every
// state and outcome is named, also those that nobody is in.
func NewSummary(t store.RunTotals, status store.RunStatus, ended time.Time, tool Tool) Summary {
	s := Summary{
		RunID:     t.Run.ID,
		Kind:      t.Run.Kind,
		Status:    status,
		StartedAt: Time(t.Run.StartedAt),
		EndedAt:   Time(ended),
		Users:     map[string]int64{"left": t.UsersLeft, "unlisted": t.UsersUnlisted, "total": t.UsersTotal},
		Outcomes:  make(map[store.Outcome]int64),
		Failures:  make(map[store.Class]int64),
		Images:    t.Images,
		Bytes:     t.Bytes,
		Requests:  make(map[string]int64),
		DueLeft:   t.DueLeft,
		LeftHeld:  t.Sync.LeftHeld,
		Tool:      tool,
		Notes:     []string{},
	}
	for _, state := range store.States {
		s.Users[string(state)] = t.Users[state]
	}
	for _, outcome := range store.Outcomes {
		s.Outcomes[outcome] = t.Outcomes[outcome]
	}
	for class, n := range t.Failures {
		s.Failures[class] = n
	}
	for endpoint, n := range t.Requests {
		s.Requests[endpoint] = n
	}
	if !t.OldestPendingAt.IsZero() {
		oldest := Time(t.OldestPendingAt)
		s.OldestPendingAt = &oldest
	}
	return s
}

// Encode gives the exact bytes of summary.json.
func (s Summary) Encode() ([]byte, error) {
	body, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode summary: %w", err)
	}
	return append(body, '\n'), nil
}

// WriteSum writes one line of SHA256SUMS, in the form that "sha256sum -c"
// reads. The path is relative to the archive's prefix.
func WriteSum(w io.Writer, sha256, path string) error {
	_, err := fmt.Fprintf(w, "%s  %s\n", sha256, path)
	return err
}

// WriteObject writes one line of objects.csv: bucket, URL-encoded key, version
// id (Amazon S3 User Guide, "Creating an S3 Batch Operations job", CSV
// manifests).
func WriteObject(w *csv.Writer, bucket, key, versionID string) error {
	// A bare plus is legal in a path, but some decoders take it for a space.
	row := []string{bucket, strings.ReplaceAll((&url.URL{Path: key}).EscapedPath(), "+", "%2B")}
	if versionID != "" {
		row = append(row, versionID)
	}
	return w.Write(row)
}
