package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// gathered is the evidence of one subject, checked as far as it can be without
// reading an image.
type gathered struct {
	subject store.Subject
	records []foundRecord // in the order of their keys
	images  []store.Image // each stored image once, in the order of their keys
}

// foundRecord is a record with its exact bytes.
type foundRecord struct {
	manifest.Record
	key      string
	body     []byte
	sum      [sha256.Size]byte
	folder   string // the transaction's
	inLedger bool   // false for what a process left that died before its commit
	index    int64  // in the log; -1 when it has no place yet
	proof    []byte // nil when the checkpoint does not cover it yet
}

// gather reads the subject's records and compares them with the ledger.
func (e Exporter) gather(ctx context.Context, subject store.Subject) (*gathered, error) {
	rows, err := e.Ledger.AuditSubject(ctx, subject)
	if err != nil {
		return nil, err
	}
	found := &gathered{subject: subject}
	known := make(map[string]bool, len(rows.Records))
	for _, row := range rows.Records {
		known[row.Key] = true
		record, err := e.readRecord(ctx, subject, row.Key, row.VersionID)
		if err != nil {
			return nil, err
		}
		if sum := hex.EncodeToString(record.sum[:]); sum != row.SHA256 {
			return nil, damaged(row.Key, "its SHA-256 is %s, the ledger has %s", sum, row.SHA256)
		}
		if row.LogIndex >= 0 && row.LogSHA256 != row.SHA256 {
			return nil, damaged(row.Key, "its SHA-256 is %s, entry %d of the log has %s", row.SHA256, row.LogIndex, row.LogSHA256)
		}
		record.inLedger, record.index = true, row.LogIndex
		found.records = append(found.records, record)
	}
	if err := e.gatherStrays(ctx, found, known); err != nil {
		return nil, err
	}
	if len(found.records) == 0 {
		return nil, ErrNothing
	}
	slices.SortFunc(found.records, func(a, b foundRecord) int { return strings.Compare(a.key, b.key) })
	return found, found.takeImages(rows.Images)
}

// gatherStrays adds records that stand in the bucket and that the ledger does
// not know: whoever receives an export must not miss one. Keys are written once,
// so the oldest version is the record.
func (e Exporter) gatherStrays(ctx context.Context, found *gathered, known map[string]bool) error {
	versions := make(map[string]string)
	for object, err := range e.Bucket.ListVersions(ctx, e.Layout.Subject(found.subject)) {
		if err != nil {
			return err
		}
		parts, ours := e.Layout.ParseSubjectObject(object.Key)
		if ours && parts.Sequence > 0 && !object.DeleteMarker && !known[object.Key] {
			versions[object.Key] = object.VersionID
		}
	}
	for key, version := range versions {
		record, err := e.readRecord(ctx, found.subject, key, version)
		if err != nil {
			return err
		}
		found.records = append(found.records, record)
	}
	return nil
}

func (e Exporter) readRecord(ctx context.Context, subject store.Subject, key, versionID string) (foundRecord, error) {
	parts, ours := e.Layout.ParseSubjectObject(key)
	if !ours || parts.Subject != subject || parts.Sequence == 0 {
		return foundRecord{}, damaged(key, "it is no key of a record of the subject")
	}
	body, err := readSmall(ctx, recorded{e.Bucket}, key, versionID)
	if errors.Is(err, store.ErrNotFound) {
		return foundRecord{}, damaged(key, "it is missing")
	}
	if err != nil {
		return foundRecord{}, err
	}
	record, err := manifest.DecodeRecord(body)
	switch {
	case err != nil:
		return foundRecord{}, damaged(key, "%v", err)
	case record.Subject != subject || record.Sequence != parts.Sequence:
		return foundRecord{}, damaged(key, "it states another subject or sequence than its key")
	}
	return foundRecord{Record: record, key: key, body: body, sum: sha256.Sum256(body), folder: parts.Transaction, index: -1}, nil
}

// takeImages collects the stored images that the records state, and compares
// them with those of the ledger: neither may have one that the other lacks.
func (g *gathered) takeImages(rows []store.ImageRow) error {
	inLedger := make(map[string]store.ImageRow)
	for _, row := range rows {
		if row.State == store.ImageStored {
			inLedger[row.Key] = row
		}
	}
	stated := make(map[string]store.Image)
	for _, record := range g.records {
		for _, i := range record.Images {
			image := i.Stored()
			if image.State != store.ImageStored {
				continue
			}
			if path.Dir(image.Key) != path.Dir(record.key) || image.SHA256 == "" {
				return damaged(record.key, "it states an image %q that is not of its folder", image.Key)
			}
			if first, twice := stated[image.Key]; twice && first.SHA256 != image.SHA256 {
				return damaged(image.Key, "two records state different bytes for it")
			}
			row, there := inLedger[image.Key]
			if record.inLedger && !there {
				return damaged(image.Key, "%q states it, and the ledger does not have it", record.key)
			}
			if there && row.SHA256 != image.SHA256 {
				return damaged(image.Key, "%q states SHA-256 %s, the ledger has %s", record.key, image.SHA256, row.SHA256)
			}
			stated[image.Key] = image
		}
	}
	for key := range inLedger {
		if _, there := stated[key]; !there {
			return damaged(key, "the ledger has it, and no record states it")
		}
	}
	for _, image := range stated {
		g.images = append(g.images, image)
	}
	slices.SortFunc(g.images, func(a, b store.Image) int { return strings.Compare(a.Key, b.Key) })
	return nil
}

func damaged(key, format string, values ...any) error {
	return fmt.Errorf("%w: %q: %s", ErrDamaged, key, fmt.Sprintf(format, values...))
}
