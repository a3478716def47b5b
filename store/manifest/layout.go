package manifest

import (
	"fmt"
	"path"
	"strings"
	"time"

	"vlens-archiver/store"
)

// Names of the files of a run.
const (
	RunManifest   = "manifest.jsonl.gz"
	RunSummary    = "summary.json"
	RunSums       = "SHA256SUMS"
	RunObjects    = "objects.csv"
	RunReport     = "report.html"
	RunCheckpoint = "checkpoint"
	RunTimestamp  = "checkpoint.tsr"
)

// hashInKey is how many hex digits of an image's SHA-256 stand in its key: with
// them one key has one content for ever.
const hashInKey = 16

// Layout makes every key of one archive. Prefix has no slash at either end and
// may be empty. A vendor file name never becomes part of a key.
type Layout struct{ Prefix string }

// Archive is the key of the object that says which archive this is.
func (l Layout) Archive() string { return l.key("archive.json") }

// Subjects is the prefix of all subjects.
func (l Layout) Subjects() string { return l.key("subjects") + "/" }

// Subject is the prefix of all that is archived for one subject.
func (l Layout) Subject(s store.Subject) string {
	return l.key("subjects", string(s[:2]), string(s)) + "/"
}

// Transaction is the prefix of all that is archived for one transaction.
func (l Layout) Transaction(s store.Subject, transaction string) string {
	return l.Subject(s) + transaction + "/"
}

// Image is the key of an image with this SHA-256 (lower-case hex) and file name
// extension.
func (l Layout) Image(s store.Subject, transaction string, kind store.Kind, sha256, extension string) string {
	return fmt.Sprintf("%s%s.%s.%s", l.Transaction(s, transaction), kind, sha256[:hashInKey], extension)
}

// Record is the key of the record with this sequence number, which counts from 1.
func (l Layout) Record(s store.Subject, transaction string, sequence int) string {
	return fmt.Sprintf("%srecord.%04d.json", l.Transaction(s, transaction), sequence)
}

// Runs is the prefix of all runs.
func (l Layout) Runs() string { return l.key("runs") + "/" }

// Run is the prefix of the files of the run that started then.
func (l Layout) Run(started time.Time, runID string) string {
	return l.key("runs", started.UTC().Format("2006/01/02"), runID) + "/"
}

// Audits is the prefix of the statements about exports and verifications.
func (l Layout) Audits() string { return l.key("audit") + "/" }

// Audit is the key of the statement with this id about something done then.
func (l Layout) Audit(at time.Time, id string) string {
	return l.key("audit", at.UTC().Format("2006/01/02"), id+".json")
}

// Canaries is the prefix of the objects that try out the bucket.
func (l Layout) Canaries() string { return l.key("doctor") + "/" }

// Canary is the key of an object that tries out the bucket; trial names the
// examination it belongs to.
func (l Layout) Canary(trial, name string) string { return l.key("doctor", trial, name) }

// Relative is the key as SHA256SUMS states it: without the prefix.
func (l Layout) Relative(key string) string {
	if l.Prefix == "" {
		return key
	}
	return strings.TrimPrefix(key, l.Prefix+"/")
}

func (l Layout) key(parts ...string) string {
	return path.Join(append([]string{l.Prefix}, parts...)...)
}
