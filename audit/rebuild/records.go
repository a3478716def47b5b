package rebuild

import (
	"context"
	"encoding/hex"
	"path"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

const (
	// recordsAtOnce is how many records are in memory at a time, and
	// readsAtOnce how many of them are being read.
	recordsAtOnce = 500
	readsAtOnce   = 16
)

// listedRecord is a record as the listing shows it.
type listedRecord struct {
	key, versionID string
	etags          map[string]string // of the versions in its folder
}

// addRecords reads every record. A listing gives the images of a folder before
// its records, so that their ETags, which no record states, are known by then.
func (r *Rebuilder) addRecords(ctx context.Context) error {
	var batch []listedRecord
	var folder string
	var etags map[string]string
	flush := func() error {
		defer func() { batch = batch[:0] }()
		return r.addBatch(ctx, batch)
	}
	for key, err := range audit.Keys(ctx, r.Bucket, r.Layout.Subjects()) {
		if err != nil {
			return err
		}
		place, ours := r.Layout.ParseSubjectObject(key.Key)
		first, there := key.First()
		if !ours || !there {
			continue
		}
		if in := path.Dir(key.Key); in != folder {
			folder, etags = in, make(map[string]string)
		}
		if place.Sequence == 0 {
			for _, version := range key.All {
				etags[versionOf(version.Key, version.VersionID)] = version.ETag
			}
			continue
		}
		if len(batch) == recordsAtOnce {
			if err := flush(); err != nil {
				return err
			}
		}
		batch = append(batch, listedRecord{key.Key, first.VersionID, etags})
	}
	return flush()
}

func versionOf(key, versionID string) string { return key + " " + versionID }

// addBatch reads records in parallel and adds them in their order.
func (r *Rebuilder) addBatch(ctx context.Context, batch []listedRecord) error {
	read := make([]*store.RebuiltRecord, len(batch))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for n, listed := range batch {
		group.Go(func() (err error) {
			read[n], err = r.readRecord(reading, listed)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	records := make([]store.RebuiltRecord, 0, len(read))
	for _, record := range read {
		if record != nil {
			records = append(records, *record)
		}
	}
	r.progress.records.Add(int64(len(records)))
	return r.Ledger.AddRecords(ctx, records)
}

// readRecord is nil when the object is no record of its place.
func (r *Rebuilder) readRecord(ctx context.Context, listed listedRecord) (*store.RebuiltRecord, error) {
	record, err := audit.ReadRecord(ctx, r.Bucket, r.Layout, listed.key, listed.versionID)
	if err == nil && !store.ValidRunID(record.RunID) {
		err = audit.Damaged(listed.key, "it states no run")
	}
	if err != nil {
		return nil, r.leaveOut(listed.key, err)
	}
	rebuilt := &store.RebuiltRecord{
		RecordRef: store.RecordRef{
			Transaction: record.Place.Transaction, Sequence: record.Sequence, Key: record.Key, VersionID: listed.versionID,
			SHA256: hex.EncodeToString(record.SHA256[:]), ArchivedAt: record.ArchivedAt,
		},
		Subject: record.Subject,
		RunID:   record.RunID,
	}
	for _, stated := range record.Images {
		image := stated.Stored()
		if !validImage(image, path.Dir(listed.key)) {
			return nil, r.leaveOut(listed.key, audit.Damaged(listed.key, "it states an image that cannot be: %s, %q", image.Kind, image.Key))
		}
		image.ETag = listed.etags[versionOf(image.Key, image.VersionID)]
		rebuilt.Images = append(rebuilt.Images, image)
	}
	rebuilt.Outcome, rebuilt.Class = endingOf(rebuilt.Images)
	return rebuilt, nil
}
