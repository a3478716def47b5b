package worker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// mostRecords bounds the search for a free sequence number. A new record is
// written only when the images changed, so a handful is usual.
const mostRecords = 9999

// conclude writes the record and says how the attempt ends.
func (a *attempt) conclude(ctx context.Context, results []fetched) (ending, error) {
	end := a.judge(results)
	for _, result := range results {
		if result.State == store.ImageStored {
			a.folder.locks[result.Key] = result.locked
		}
	}
	err := a.document(ctx, a.state(results), &end)
	if err != nil {
		return a.failure(err)
	}
	return end, nil
}

// document sees to it that a record states the images, and that the ledger gets
// every record of the transaction that it does not have.
func (a *attempt) document(ctx context.Context, images []store.Image, end *ending) error {
	if worthRecording(images) {
		record, isNew, err := a.writeRecord(ctx, images)
		if err != nil {
			return err
		}
		end.record = &record
		if isNew {
			end.newRecords = append(end.newRecords, record)
		} else if end.outcome == store.OutcomeArchived || end.class.Settled() && !end.passing {
			end.outcome = store.OutcomeUnchanged // the record states already what this attempt came to
		}
	}
	if len(end.newRecords) > 0 {
		end.images = slices.DeleteFunc(images, a.inLedger)
	} else {
		end.images = slices.DeleteFunc(images, func(i store.Image) bool { return !a.worthNoting(i) })
	}
	for _, sequence := range a.folder.records {
		if end.record != nil && sequence == end.record.Sequence {
			continue
		}
		left, found, err := a.readRecord(ctx, a.transaction, sequence)
		if err != nil {
			return err
		}
		if found {
			end.newRecords = append(end.newRecords, left.RecordRef)
		}
	}
	return a.documentEarlier(ctx, end)
}

// documentEarlier enters what attempts left in the folders of earlier
// transactions that died before their commit: nobody will ask for those
// transactions again.
func (a *attempt) documentEarlier(ctx context.Context, end *ending) error {
	for _, parts := range a.folder.earlier {
		left, found, err := a.readRecord(ctx, parts.Transaction, parts.Sequence)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		end.newRecords = append(end.newRecords, left.RecordRef)
		for _, stated := range left.Images {
			image := stated.Stored()
			if image.State != store.ImageStored || a.inLedger(image) {
				continue
			}
			object, err := ask(ctx, a.bucket, func() (store.Object, error) {
				return a.Bucket.Head(ctx, image.Key, image.VersionID)
			})
			if err != nil {
				return fmt.Errorf("look for an image of an earlier attempt: %w", err)
			}
			image.ETag = object.ETag // a record does not state it
			end.earlier = append(end.earlier, store.StoredImage{Transaction: parts.Transaction, Image: image})
		}
	}
	return nil
}

// inLedger reports whether the ledger has a row for the image already.
func (a *attempt) inLedger(image store.Image) bool {
	return image.State == store.ImageStored && slices.ContainsFunc(a.known.Images, func(i store.StoredImage) bool {
		return i.Key == image.Key
	})
}

// worthNoting reports whether the ledger is to keep a finding that no record states,
// and does not have it yet.
func (a *attempt) worthNoting(image store.Image) bool {
	return image.Noted() && !slices.ContainsFunc(a.known.Findings, func(f store.Finding) bool {
		return f.Kind == image.Kind && f.Ref == image.Ref && f.Class == image.Class
	})
}

// writeRecord states the images in a record: the last one there is, when it
// says the same, else a new one under the next free sequence number. isNew says
// that the ledger does not have the record yet.
func (a *attempt) writeRecord(ctx context.Context, images []store.Image) (record store.RecordRef, isNew bool, err error) {
	ctx, span := startSpan(ctx, spanRecord)
	defer func() { endSpan(span, err) }()
	stated := make([]manifest.Image, len(images))
	for n, image := range images {
		stated[n] = manifest.NewImage(image)
	}
	for sequence := max(1, a.lastRecord()); sequence <= mostRecords; sequence++ {
		if sequence <= a.lastRecord() {
			there, found, err := a.readRecord(ctx, a.transaction, sequence)
			if err != nil {
				return record, false, err
			}
			if found && there.SameImages(stated) {
				return there.RecordRef, sequence != a.known.Record.Sequence, nil
			}
			keepSources(stated, there.Images)
			continue // the number is taken
		}
		record, err = a.putRecord(ctx, sequence, stated)
		if !errors.Is(err, store.ErrExists) {
			return record, true, err
		}
		// Somebody wrote it since the folder was looked at: look at it again.
		a.folder.records = append(a.folder.records, sequence)
		sequence--
	}
	return store.RecordRef{}, false, fmt.Errorf("%w: more than %d records of one transaction", store.ErrExists, mostRecords)
}

// lastRecord is the highest sequence number in use, 0 when there is no record.
func (a *attempt) lastRecord() int {
	return slices.Max(append([]int{a.known.Record.Sequence}, a.folder.records...))
}

// readRecord is a record of one of the subject's transactions as it stands in the
// bucket, when there is one with this sequence number and it is the subject's. Of
// a record that the ledger knows it is the version that was recorded.
func (a *attempt) readRecord(ctx context.Context, transaction string, sequence int) (record standingRecord, found bool, err error) {
	key := a.Layout.Record(a.task.Subject, transaction, sequence)
	version := ""
	if key == a.known.Record.Key {
		version = a.known.Record.VersionID
	}
	body, object, err := a.readObject(ctx, key, version)
	if errors.Is(err, store.ErrNotFound) {
		return record, false, nil
	}
	if err != nil {
		return record, false, fmt.Errorf("read a record of an earlier attempt: %w", err)
	}
	there, decodeErr := manifest.DecodeRecord(body)
	if decodeErr != nil || there.Subject != a.task.Subject {
		return record, false, nil
	}
	hash := sha256.Sum256(body)
	return standingRecord{there, recordRef(transaction, key, sequence, hash, object.VersionID, there.ArchivedAt)}, true, nil
}

// standingRecord is what a record in the bucket states, and where it stands.
type standingRecord struct {
	manifest.Record
	store.RecordRef
}

func (a *attempt) putRecord(ctx context.Context, sequence int, images []manifest.Image) (store.RecordRef, error) {
	key := a.Layout.Record(a.task.Subject, a.transaction, sequence)
	now := manifest.Time(time.Now())
	storage, err := a.storage(ctx, images, now)
	if err != nil {
		return store.RecordRef{}, err
	}
	body, err := manifest.Record{
		Schema:        manifest.RecordSchema,
		Nonce:         manifest.NewNonce(),
		Subject:       a.task.Subject,
		TransactionID: manifest.TransactionID(a.transaction),
		Sequence:      sequence,
		RunID:         a.run.ID,
		ArchivedAt:    now,
		Source:        manifest.Source{BaseURL: a.BaseURL, Identifier: string(a.by), Provenance: manifest.NewProvenance(a.listed)},
		Images:        images,
		Storage:       storage,
		Tool:          a.Tool,
	}.Encode()
	if err != nil {
		return store.RecordRef{}, err
	}

	request := putRequest(key, "application/json", body)
	request.Metadata = map[string]string{metaSHA256: hex.EncodeToString(request.SHA256[:])}
	object, err := a.putObject(ctx, request)
	if err != nil {
		return store.RecordRef{}, err
	}
	return recordRef(a.transaction, key, sequence, request.SHA256, object.VersionID, now), nil
}

func recordRef(transaction, key string, sequence int, hash [sha256.Size]byte, versionID string, archived time.Time) store.RecordRef {
	return store.RecordRef{
		Transaction: transaction,
		Sequence:    sequence,
		Key:         key,
		VersionID:   versionID,
		SHA256:      hex.EncodeToString(hash[:]),
		ArchivedAt:  archived,
	}
}
