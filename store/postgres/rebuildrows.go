package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// AddRecords adds records and their images, in the order of their keys. Of an
// image that several records state there is one row, of the first.
func (r *Rebuild) AddRecords(ctx context.Context, records []store.RebuiltRecord) error {
	rows := make([]rebuiltRecordRow, 0, len(records))
	var images []rebuiltImageRow
	for _, record := range records {
		rows = append(rows, rebuiltRecordRow{
			Key: record.Key, Subject: record.Subject, Transaction: record.Transaction, Sequence: record.Sequence,
			VersionID: record.VersionID, SHA256: record.SHA256, RunID: record.RunID, ArchivedAt: record.ArchivedAt,
			Outcome: record.Outcome, Class: record.Class, Reservation: store.Reservation(record.Transaction, firstRef(record.Images)),
		})
		for _, image := range record.Images {
			images = append(images, rebuiltImageRow{newImageRow(record.Transaction, image), record.Subject, record.RunID, record.ArchivedAt})
		}
	}
	var batch pgx.Batch
	batch.Queue(`
		INSERT INTO archive.records (key, subject, transaction_id, sequence, version_id, sha256, run_id, archived_at)
		SELECT r.key, r.subject, r.transaction_id, r.sequence, r.version_id, r.sha256, r.run_id, r.archived_at
		FROM jsonb_to_recordset($1) AS r (
			key text, subject text, transaction_id text, sequence integer, version_id text, sha256 text, run_id text, archived_at timestamptz)`, rows)
	batch.Queue(`
		INSERT INTO pg_temp.findings (run_id, subject, transaction_id, at, outcome, class)
		SELECT r.run_id, r.subject, r.transaction_id, r.archived_at, r.outcome, r.class
		FROM jsonb_to_recordset($1) AS r (run_id text, subject text, transaction_id text, archived_at timestamptz, outcome text, class text)`, rows)
	batch.Queue(`
		INSERT INTO archive.transactions (transaction_id, subject, reserved_at)
		SELECT r.reservation, r.subject, min(r.archived_at)
		FROM jsonb_to_recordset($1) AS r (subject text, reservation text, archived_at timestamptz)
		WHERE r.reservation <> ''
		GROUP BY r.reservation, r.subject
		ON CONFLICT (transaction_id) DO NOTHING`, rows)
	batch.Queue(`
		INSERT INTO archive.images (subject, transaction_id, kind, ref, state, class, key, version_id, etag, bytes, media_type,
		                            width, height, sha256, flags, run_id, fetched_at, found_at)
		SELECT i.subject, i.transaction_id, i.kind, i.ref, i.state, i.class, i.key, i.version_id, i.etag, i.bytes, i.media_type,
		       i.width, i.height, i.sha256, i.flags, i.run_id, i.fetched_at, i.found_at
		FROM ROWS FROM (jsonb_to_recordset($1) AS (
			subject text, transaction_id text, kind text, ref text, state text, class text, key text, version_id text, etag text,
			bytes bigint, media_type text, width integer, height integer, sha256 text, flags text[], run_id text, fetched_at timestamptz, found_at timestamptz))
			WITH ORDINALITY AS i (subject, transaction_id, kind, ref, state, class, key, version_id, etag, bytes, media_type,
			width, height, sha256, flags, run_id, fetched_at, found_at, place)
		ORDER BY i.place
		ON CONFLICT (key, ref) WHERE state = 'stored' DO NOTHING`, images)
	return r.failed("add records", r.tx.SendBatch(ctx, &batch).Close())
}

type rebuiltRecordRow struct {
	Key         string        `json:"key"`
	Subject     store.Subject `json:"subject"`
	Transaction string        `json:"transaction_id"`
	Sequence    int           `json:"sequence"`
	VersionID   string        `json:"version_id"`
	SHA256      string        `json:"sha256"`
	RunID       string        `json:"run_id"`
	ArchivedAt  time.Time     `json:"archived_at"`
	Outcome     store.Outcome `json:"outcome"`
	Class       store.Class   `json:"class"`
	// Reservation is store.Reservation.
	Reservation string `json:"reservation"`
}

// firstRef is the ref of the first image that the vendor listed.
func firstRef(images []store.Image) store.Ref {
	for _, image := range images {
		if image.Ref != "" {
			return image.Ref
		}
	}
	return ""
}

type rebuiltImageRow struct {
	imageRow
	Subject store.Subject `json:"subject"`
	RunID   string        `json:"run_id"`
	FoundAt time.Time     `json:"found_at"`
}

// AddRun adds a closed run. All records must be there by then.
func (r *Rebuild) AddRun(ctx context.Context, run store.RebuiltRun) error {
	var batch pgx.Batch
	if !r.analyzed {
		// Outcomes look up their images: without statistics by reading all of them.
		batch.Queue(`ANALYZE archive.images`)
		batch.Queue(`ANALYZE archive.records`)
		r.analyzed = true
	}
	batch.Queue(`
		INSERT INTO archive.runs (run_id, kind, status, started_at, ended_at, tool_version, sync_left_held, sums_key, checkpoint_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		run.ID, run.Kind, run.Status, run.StartedAt, run.EndedAt, run.ToolVersion, run.LeftHeld, run.SumsKey, orNull(run.CheckpointAt))
	batch.Queue(`INSERT INTO pg_temp.run_sums (key, sha256, ended_at) VALUES ($1, $2, $3)`, run.SumsKey, run.SumsSHA256, run.EndedAt)
	return r.failed(fmt.Sprintf("add run %q", run.ID), r.tx.SendBatch(ctx, &batch).Close())
}

// AddOutcomes adds users of a run. When each was done no file says: a user with a
// record of this run at the record's time, any other at the end of the run.
func (r *Rebuild) AddOutcomes(ctx context.Context, runID string, outcomes []store.RebuiltOutcome) error {
	rows := make([]outcomeRow, 0, len(outcomes))
	for _, o := range outcomes {
		rows = append(rows, outcomeRow(o))
	}
	var batch pgx.Batch
	batch.Queue(`
		INSERT INTO archive.outcomes (run_id, subject, user_id, outcome, class, requests, bytes, started_at, ended_at,
		                              transaction_id, record_key, record_sha256, state)
		SELECT n.run_id, o.subject, u.user_id, o.outcome, o.class, o.requests,
		       coalesce((SELECT sum(i.bytes)::bigint FROM archive.images AS i
		                 WHERE i.subject = o.subject AND i.transaction_id = o.transaction_id AND i.run_id = n.run_id AND i.state = 'stored'), 0),
		       n.started_at, coalesce(r.archived_at, n.ended_at), o.transaction_id, o.record_key, o.record_sha256, o.state
		FROM jsonb_to_recordset($2) AS o (
			subject text, outcome text, class text, transaction_id text, record_key text, record_sha256 text, state text, requests integer)
		JOIN archive.runs AS n ON n.run_id = $1
		LEFT JOIN pg_temp.new_subjects AS u ON u.subject = o.subject
		LEFT JOIN archive.records AS r ON r.key = o.record_key AND r.run_id = n.run_id`, runID, rows)
	// Whose images were to be fetched has the transaction, also when none was,
	// unless it was somebody else's.
	batch.Queue(`
		INSERT INTO archive.transactions (transaction_id, subject, reserved_at)
		SELECT DISTINCT ON (o.transaction_id) o.transaction_id, o.subject, n.started_at
		FROM jsonb_to_recordset($2) AS o (subject text, outcome text, class text, transaction_id text)
		JOIN archive.runs AS n ON n.run_id = $1
		WHERE o.transaction_id <> '' AND o.transaction_id NOT LIKE 't-%' AND o.outcome <> 'no_images' AND o.class <> 'shared_transaction'
		ON CONFLICT (transaction_id) DO NOTHING`, runID, rows)
	return r.failed(fmt.Sprintf("add users of run %q", runID), r.tx.SendBatch(ctx, &batch).Close())
}

type outcomeRow struct {
	Subject      store.Subject `json:"subject"`
	Outcome      store.Outcome `json:"outcome"`
	Class        store.Class   `json:"class"`
	Transaction  string        `json:"transaction_id"`
	RecordKey    string        `json:"record_key"`
	RecordSHA256 string        `json:"record_sha256"`
	State        store.State   `json:"state"`
	Requests     int           `json:"requests"`
}
