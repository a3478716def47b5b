package rebuild

import (
	"context"
	"encoding/hex"
	"path"
	"regexp"
	"slices"

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

// standingRecord is a record as the listing shows it.
type standingRecord struct {
	key, versionID string
	etags          map[string]string // of the versions in its folder
}

// addRecords reads every record. A listing gives the images of a folder before
// its records, so that their ETags, which no record states, are known by then.
func (r *Rebuilder) addRecords(ctx context.Context) error {
	var batch []standingRecord
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
		batch = append(batch, standingRecord{key.Key, first.VersionID, etags})
	}
	return flush()
}

func versionOf(key, versionID string) string { return key + " " + versionID }

// addBatch reads records in parallel and adds them in their order.
func (r *Rebuilder) addBatch(ctx context.Context, batch []standingRecord) error {
	read := make([]*store.RebuiltRecord, len(batch))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for n, standing := range batch {
		group.Go(func() (err error) {
			read[n], err = r.readRecord(reading, standing)
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
func (r *Rebuilder) readRecord(ctx context.Context, standing standingRecord) (*store.RebuiltRecord, error) {
	record, err := audit.ReadRecord(ctx, r.Bucket, r.Layout, standing.key, standing.versionID)
	if err == nil && !store.ValidRunID(record.RunID) {
		err = audit.Damaged(standing.key, "it states no run")
	}
	if err != nil {
		return nil, r.leaveOut(standing.key, err)
	}
	rebuilt := &store.RebuiltRecord{
		RecordRef: store.RecordRef{
			Transaction: record.Place.Transaction, Sequence: record.Sequence, Key: record.Key, VersionID: standing.versionID,
			SHA256: hex.EncodeToString(record.SHA256[:]), ArchivedAt: record.ArchivedAt,
		},
		Subject: record.Subject,
		RunID:   record.RunID,
	}
	for _, stated := range record.Images {
		image := stated.Stored()
		if !validImage(image, path.Dir(standing.key)) {
			return nil, r.leaveOut(standing.key, audit.Damaged(standing.key, "it states an image that cannot be: %s, %q", image.Kind, image.Key))
		}
		image.ETag = standing.etags[versionOf(image.Key, image.VersionID)]
		rebuilt.Images = append(rebuilt.Images, image)
	}
	rebuilt.Outcome, rebuilt.Class = endingOf(rebuilt.Images)
	return rebuilt, nil
}

var (
	validSubject = regexp.MustCompile(`^[a-z2-7]{26}$`)
	validRef     = regexp.MustCompile(`^([0-9a-f]{32})?$`)
	validSHA256  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// validImage reports whether a ledger can have the image: a record is only JSON.
func validImage(image store.Image, folder string) bool {
	states := []store.ImageState{store.ImageStored, store.ImageAbsent, store.ImageGone, store.ImageRejected, store.ImageFailed}
	valid := slices.Contains(store.Kinds[:], image.Kind) && slices.Contains(states, image.State) &&
		validRef.MatchString(string(image.Ref)) && image.Bytes >= 0
	if image.State == store.ImageStored {
		return valid && path.Dir(image.Key) == folder && validSHA256.MatchString(image.SHA256)
	}
	return valid && image.SHA256 == ""
}

// endingOf is how an attempt must have ended that left a record of these images.
// It stands in for the outcome where the files of the run are missing.
func endingOf(images []store.Image) (store.Outcome, store.Class) {
	var class store.Class
	stored, missing := 0, 0
	for _, image := range images {
		switch image.State {
		case store.ImageStored:
			stored++
		case store.ImageAbsent:
		default:
			missing++
			if class == store.ClassNone || image.Class.Transient() && !class.Transient() {
				class = image.Class
			}
		}
	}
	switch {
	case missing == 0:
		return store.OutcomeArchived, store.ClassNone
	case stored == 0:
		return store.OutcomeFailed, class
	}
	return store.OutcomePartial, class
}
