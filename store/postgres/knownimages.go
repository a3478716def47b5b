package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// Known is what the ledger knows of a subject, in one round trip: its stored
// images and records of all transactions, and what was found of the others of
// this one.
//
// The verification, which store.Reservation names, is reserved for the subject
// that asks first. Another subject gets it only when the owner has nothing stored
// in it and no live process works on the owner. Known.Owner is the owner now.
func (l *Ledger) Known(ctx context.Context, subject store.Subject, transaction string, first store.Ref) (store.Known, error) {
	known := store.Known{Owner: subject}
	var batch pgx.Batch
	if reservation := store.Reservation(transaction, first); reservation != "" {
		l.queueReservation(&batch, subject, reservation, &known.Owner)
	}
	batch.Queue(`
		SELECT i.transaction_id, i.kind, i.state, i.class, i.ref, i.key, i.version_id, i.etag, i.bytes, i.media_type,
		       i.width, i.height, i.sha256, i.flags, i.fetched_at
		FROM archive.images AS i
		WHERE i.subject = $1 AND i.state = 'stored'
		ORDER BY i.image_id`, subject).Query(func(rows pgx.Rows) (err error) {
		known.Images, err = pgx.CollectRows(rows, scanStoredImage)
		return err
	})
	batch.Queue(`
		SELECT i.kind, i.state, i.class, i.ref, extract(epoch FROM now() - coalesce(i.found_at, (SELECT r.started_at FROM archive.runs AS r WHERE r.run_id = i.run_id), '2000-01-01'))::float8
		FROM archive.images AS i
		WHERE i.subject = $1 AND i.transaction_id = $2 AND i.state IN ('gone', 'rejected', 'failed')
		ORDER BY i.image_id`, subject, transaction).Query(func(rows pgx.Rows) (err error) {
		known.Findings, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (store.Finding, error) {
			var finding store.Finding
			var seconds float64
			err := row.Scan(&finding.Kind, &finding.State, &finding.Class, &finding.Ref, &seconds)
			finding.Age = time.Duration(seconds * float64(time.Second))
			return finding, err
		})
		return err
	})
	batch.Queue(`
		SELECT r.transaction_id, r.sequence, r.key, r.version_id, r.sha256, r.archived_at
		FROM archive.records AS r
		WHERE r.subject = $1
		ORDER BY r.transaction_id, r.sequence`, subject).Query(func(rows pgx.Rows) (err error) {
		known.Records, err = pgx.CollectRows(rows, scanRecordRef)
		for _, record := range known.Records {
			if record.Transaction == transaction {
				known.Record = record
			}
		}
		return err
	})
	return known, l.failed("read what is known of a user", l.send(ctx, &batch))
}

// queueReservation locks another owner's row first: the statement after it then
// sees all that the owner has committed.
func (l *Ledger) queueReservation(batch *pgx.Batch, subject store.Subject, reservation string, owner *store.Subject) {
	batch.Queue(lockWaitSQL)
	batch.Queue(`
		SELECT 1 FROM archive.transactions AS t
		WHERE t.transaction_id = $1 AND t.subject <> $2
		FOR UPDATE OF t`, reservation, subject)
	batch.Queue(`
		INSERT INTO archive.transactions AS t (transaction_id, subject)
		VALUES ($1, $2)
		ON CONFLICT (transaction_id) DO UPDATE SET subject = excluded.subject, reserved_at = now()
		WHERE t.subject <> excluded.subject
		  AND NOT EXISTS (
			SELECT 1 FROM archive.images AS i
			WHERE i.subject = t.subject AND t.transaction_id IN (i.transaction_id, 'ref-' || i.ref) AND i.state = 'stored')
		  AND NOT EXISTS (
			SELECT 1 FROM archive.subjects AS s
			WHERE s.subject = t.subject AND s.lease_process IN (`+liveProcesses+`))`,
		reservation, subject)
	batch.Queue(`SELECT t.subject FROM archive.transactions AS t WHERE t.transaction_id = $1`, reservation).
		QueryRow(func(row pgx.Row) error { return row.Scan(owner) })
}

func scanStoredImage(row pgx.CollectableRow) (store.StoredImage, error) {
	var image store.StoredImage
	var fetched *time.Time
	err := row.Scan(&image.Transaction, &image.Kind, &image.State, &image.Class, &image.Ref, &image.Key, &image.VersionID,
		&image.ETag, &image.Bytes, &image.MediaType, &image.Width, &image.Height, &image.SHA256, &image.Flags, &fetched)
	image.FetchedAt = orZero(fetched)
	return image, err
}

func scanRecordRef(row pgx.CollectableRow) (store.RecordRef, error) {
	var record store.RecordRef
	err := row.Scan(&record.Transaction, &record.Sequence, &record.Key, &record.VersionID, &record.SHA256, &record.ArchivedAt)
	record.ArchivedAt = record.ArchivedAt.UTC()
	return record, err
}
