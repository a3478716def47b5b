package postgres

import (
	"context"
	"time"

	"vlens-archiver/store"
)

// Commit writes everything about one finished user in one statement, if the
// process still has the user: it must hold the lease with the result's token,
// the run must be open and nobody may have begun to close it, and images or a
// record in a transaction of the vendor's need the reservation that Known makes.
// Else nothing is written, and the error is store.ErrLeaseLost. A commit whose
// answer was lost may be repeated.
//
// A row of the user query that changed since the claim keeps its user due.
func (l *Ledger) Commit(ctx context.Context, process string, result store.Result) error {
	var written int
	err := l.pool.QueryRow(ctx, commitSQL, commitArgs(process, result)...).Scan(&written)
	if err == nil && written == 0 {
		err = l.committedBefore(ctx, process, result)
	}
	if hasCode(err, uniqueViolation) {
		return l.failed("commit outcome", errConflictingHistory)
	}
	return l.failed("commit outcome", err)
}

const commitSQL = `
WITH run AS (
	SELECT r.run_id FROM archive.runs AS r
	WHERE r.run_id = $2 AND r.status = 'open' AND r.close_process IS NULL
	FOR KEY SHARE OF r
), owned AS (
	SELECT 1 FROM archive.transactions AS t
	WHERE t.transaction_id = $8 AND t.subject = $3
	FOR SHARE OF t
), done AS (
	UPDATE archive.subjects AS s
	SET state = $5,
	    last_class = $7,
	    last_run_id = $2,
	    archived_at = CASE WHEN $6 = 'archived' THEN now() WHEN $6 = 'unchanged' THEN coalesce(s.archived_at, now()) ELSE s.archived_at END,
	    attempts    = CASE WHEN s.row_version <> s.lease_version OR $6 IN ('archived', 'unchanged') THEN 0 ELSE s.attempts + 1 END,
	    next_due_at = CASE WHEN s.row_version <> s.lease_version THEN s.next_due_at ELSE now() + make_interval(secs => $13) END,
	    due_reason  = CASE WHEN s.row_version <> s.lease_version THEN s.due_reason WHEN $6 IN ('archived', 'unchanged') THEN 'recheck' ELSE 'retry' END,
	    ready       = s.row_version <> s.lease_version,
	    lease_process = NULL,
	    lease_run = NULL
	WHERE s.subject = $3 AND s.lease_process = $1 AND s.lease_token = $4
	  AND EXISTS (SELECT 1 FROM run)
	  AND ($14 OR EXISTS (SELECT 1 FROM owned))
	RETURNING s.subject, s.user_id
), outcome AS (
	INSERT INTO archive.outcomes (run_id, subject, user_id, outcome, class, requests, bytes, started_at, ended_at,
	                              transaction_id, record_key, record_sha256, process, lease_token)
	SELECT $2, d.subject, d.user_id, $6, $7, $9, $10, $11, now(), $8, $15, $16, $1, $4 FROM done AS d
), image AS (
	INSERT INTO archive.images (subject, transaction_id, kind, ref, state, class, key, version_id, etag, bytes, media_type,
	                            width, height, sha256, flags, run_id, fetched_at)
	SELECT d.subject, i.transaction_id, i.kind, i.ref, i.state, i.class, i.key, i.version_id, i.etag, i.bytes, i.media_type,
	       i.width, i.height, i.sha256, i.flags, $2, i.fetched_at
	FROM done AS d, ROWS FROM (jsonb_to_recordset($12) AS (
		transaction_id text, kind text, ref text, state text, class text, key text, version_id text, etag text, bytes bigint, media_type text,
		width integer, height integer, sha256 text, flags text[], fetched_at timestamptz)) WITH ORDINALITY AS i
		(transaction_id, kind, ref, state, class, key, version_id, etag, bytes, media_type, width, height, sha256, flags, fetched_at, place)
	WHERE NOT EXISTS (SELECT 1 FROM archive.transactions AS t WHERE t.transaction_id = i.transaction_id AND t.subject <> d.subject)
	ORDER BY i.place
	ON CONFLICT (key, ref) WHERE state = 'stored' DO NOTHING
), record AS (
	INSERT INTO archive.records (key, subject, transaction_id, sequence, version_id, sha256, run_id, archived_at)
	SELECT r.key, d.subject, r.transaction_id, r.sequence, r.version_id, r.sha256, $2, r.archived_at
	FROM done AS d, jsonb_to_recordset($17) AS r (transaction_id text, key text, sequence integer, version_id text, sha256 text, archived_at timestamptz)
	WHERE NOT EXISTS (SELECT 1 FROM archive.records AS there WHERE there.key = r.key AND there.sha256 = r.sha256)
	  AND NOT EXISTS (SELECT 1 FROM archive.transactions AS t WHERE t.transaction_id = r.transaction_id AND t.subject <> d.subject)
	ORDER BY r.archived_at, r.sequence
	RETURNING sha256, key, sequence, archived_at
), waiting AS (
	INSERT INTO archive.log_waiting (sha256, kind, key)
	SELECT r.sha256, 'record', r.key FROM record AS r
	WHERE NOT EXISTS (SELECT 1 FROM archive.log_entries AS e WHERE e.key = r.key)
	ORDER BY r.archived_at, r.sequence
), user_of_run AS (
	UPDATE archive.run_users AS ru SET done_at = now() FROM done AS d
	WHERE ru.run_id = $2 AND ru.user_id = d.user_id
)
SELECT count(*) FROM done`

func commitArgs(process string, result store.Result) []any {
	var record store.RecordRef
	if result.Record != nil {
		record = *result.Record
	}
	var nextDue *float64 // NULL is never
	if result.NextDue >= 0 {
		seconds := result.NextDue.Seconds()
		nextDue = &seconds
	}
	needsOwner := store.NamedTransaction(result.Transaction) && (len(result.Images) > 0 || len(result.NewRecords) > 0)
	return []any{
		process, result.RunID, result.Subject, result.LeaseToken, // $1 to $4
		result.State.After(result.Outcome), result.Outcome, result.Class, result.Transaction, // $5 to $8
		result.Requests, result.Bytes, result.StartedAt, imageRows(result), nextDue, !needsOwner, // $9 to $14
		record.Key, record.SHA256, recordRows(result.NewRecords), // $15 to $17
	}
}

// committedBefore is nil when this very result was written by an earlier try.
func (l *Ledger) committedBefore(ctx context.Context, process string, result store.Result) error {
	var there bool
	err := l.pool.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT 1 FROM archive.outcomes AS o
			WHERE o.run_id = $1 AND o.subject = $2 AND o.process = $3 AND o.lease_token = $4)`,
		result.RunID, result.Subject, process, result.LeaseToken).Scan(&there)
	if err == nil && !there {
		err = store.ErrLeaseLost
	}
	return err
}

// imageRow is an image as the commit statement reads it.
type imageRow struct {
	Transaction string           `json:"transaction_id"`
	Kind        store.Kind       `json:"kind"`
	Ref         store.Ref        `json:"ref"`
	State       store.ImageState `json:"state"`
	Class       store.Class      `json:"class"`
	Key         string           `json:"key"`
	VersionID   string           `json:"version_id"`
	ETag        string           `json:"etag"`
	Bytes       int64            `json:"bytes"`
	MediaType   string           `json:"media_type"`
	Width       int              `json:"width"`
	Height      int              `json:"height"`
	SHA256      string           `json:"sha256"`
	Flags       []store.Flag     `json:"flags"`
	FetchedAt   *time.Time       `json:"fetched_at"`
}

func imageRows(result store.Result) []imageRow {
	rows := make([]imageRow, 0, len(result.Earlier)+len(result.Images))
	for _, image := range result.Earlier {
		rows = append(rows, newImageRow(image.Transaction, image.Image))
	}
	for _, image := range result.Images {
		rows = append(rows, newImageRow(result.Transaction, image))
	}
	return rows
}

func newImageRow(transaction string, image store.Image) imageRow {
	return imageRow{
		Transaction: transaction, Kind: image.Kind, Ref: image.Ref, State: image.State, Class: image.Class, Key: image.Key,
		VersionID: image.VersionID, ETag: image.ETag, Bytes: image.Bytes, MediaType: image.MediaType,
		Width: image.Width, Height: image.Height, SHA256: image.SHA256,
		Flags: append([]store.Flag{}, image.Flags...), FetchedAt: orNull(image.FetchedAt),
	}
}

// recordRow is a record as the commit statement reads it.
type recordRow struct {
	Transaction string    `json:"transaction_id"`
	Key         string    `json:"key"`
	Sequence    int       `json:"sequence"`
	VersionID   string    `json:"version_id"`
	SHA256      string    `json:"sha256"`
	ArchivedAt  time.Time `json:"archived_at"`
}

func recordRows(records []store.RecordRef) []recordRow {
	rows := make([]recordRow, 0, len(records))
	for _, r := range records {
		rows = append(rows, recordRow{
			Transaction: r.Transaction, Key: r.Key, Sequence: r.Sequence, VersionID: r.VersionID, SHA256: r.SHA256, ArchivedAt: r.ArchivedAt,
		})
	}
	return rows
}
