package export

import (
	"context"
	"encoding/hex"
	"path"
	"slices"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

// gathered is the evidence of one subject, checked as far as it can be without
// reading an image.
type gathered struct {
	subject store.Subject
	records []foundRecord // in the order of their keys
	images  []store.Image // each stored image once, in the order of their keys
}

// foundRecord is a record with its place in ledger and log.
type foundRecord struct {
	audit.Record
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
		if sum := hex.EncodeToString(record.SHA256[:]); sum != row.SHA256 {
			return nil, audit.Damaged(row.Key, "its SHA-256 is %s, the ledger has %s", sum, row.SHA256)
		}
		if row.LogIndex >= 0 && row.LogSHA256 != row.SHA256 {
			return nil, audit.Damaged(row.Key, "its SHA-256 is %s, entry %d of the log has %s", row.SHA256, row.LogIndex, row.LogSHA256)
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
	slices.SortFunc(found.records, func(a, b foundRecord) int { return strings.Compare(a.Key, b.Key) })
	return found, found.takeImages(rows.Images)
}

// gatherStrays adds records that are in the bucket and that the ledger does
// not know: whoever receives an export must not miss one. Keys are written once,
// so the oldest version is the record.
func (e Exporter) gatherStrays(ctx context.Context, found *gathered, known map[string]bool) error {
	for key, err := range audit.Keys(ctx, e.Bucket, e.Layout.Subject(found.subject)) {
		if err != nil {
			return err
		}
		parts, ours := e.Layout.ParseSubjectObject(key.Key)
		version, there := key.First()
		if !ours || parts.Sequence == 0 || !there || known[key.Key] {
			continue
		}
		record, err := e.readRecord(ctx, found.subject, key.Key, version.VersionID)
		if err != nil {
			return err
		}
		found.records = append(found.records, record)
	}
	return nil
}

func (e Exporter) readRecord(ctx context.Context, subject store.Subject, key, versionID string) (foundRecord, error) {
	record, err := audit.ReadRecord(ctx, putBack{e.Bucket}, e.Layout, key, versionID)
	if err == nil && record.Subject != subject {
		err = audit.Damaged(key, "it is the record of another subject")
	}
	return foundRecord{Record: record, index: -1}, err
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
			if path.Dir(image.Key) != path.Dir(record.Key) || image.SHA256 == "" {
				return audit.Damaged(record.Key, "it states an image %q that is not of its folder", image.Key)
			}
			if first, twice := stated[image.Key]; twice && first.SHA256 != image.SHA256 {
				return audit.Damaged(image.Key, "two records state different bytes for it")
			}
			row, there := inLedger[image.Key]
			if record.inLedger && !there {
				return audit.Damaged(image.Key, "%q states it, and the ledger does not have it", record.Key)
			}
			if there && row.SHA256 != image.SHA256 {
				return audit.Damaged(image.Key, "%q states SHA-256 %s, the ledger has %s", record.Key, image.SHA256, row.SHA256)
			}
			stated[image.Key] = image
		}
	}
	for key := range inLedger {
		if _, there := stated[key]; !there {
			return audit.Damaged(key, "the ledger has it, and no record states it")
		}
	}
	for _, image := range stated {
		g.images = append(g.images, image)
	}
	slices.SortFunc(g.images, func(a, b store.Image) int { return strings.Compare(a.Key, b.Key) })
	return nil
}
