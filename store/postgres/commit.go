package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// Commit writes everything about one finished user in one statement, if the
// process still has the user: it must hold the lease with the result's token,
// the run must be open and nobody may have begun to close it, and images or a
// record in a transaction of the vendor's need the reservation that Known makes.
// Else nothing is written, and the error is store.ErrLeaseLost. A value that the
// tables do not take, or that contradicts what is there, is store.ErrValueRefused.
// A commit whose answer was lost may be repeated.
//
// A row of the user query that changed since the claim keeps its user due. That a
// user is complete is said of the time at which the attempt began: what the user does
// after the listing is not in it.
func (l *Ledger) Commit(ctx context.Context, process string, result store.Result) error {
	var written int
	var batch pgx.Batch
	batch.Queue(lockWaitSQL)
	batch.Queue(commitSQL, commitArgs(process, result)).QueryRow(func(row pgx.Row) error { return row.Scan(&written) })
	err := l.send(ctx, &batch)
	if err == nil && written == 0 {
		err = l.committedBefore(ctx, process, result)
	}
	if hasCode(err, uniqueViolation) {
		return l.failed("commit outcome", errConflictingHistory)
	}
	return l.failed("commit outcome", err)
}

// commitSQL updates the user's row in "done", if the process may commit; all that
// follows is written for the row that "done" returns, and otherwise not. Where the
// attempt leaves the user is decided by store.Result.Standing, and when the user is
// due again by the worker; a row that the user query changed since the claim keeps
// what the sync has put there.
const commitSQL = `
WITH open_run AS (
	SELECT r.run_id FROM archive.runs AS r
	WHERE r.run_id = @run AND r.status = 'open' AND r.close_process IS NULL
	FOR KEY SHARE OF r
), reservation AS (
	SELECT 1 FROM archive.transactions AS t
	WHERE t.transaction_id = @transaction AND t.subject = @subject
	FOR SHARE OF t
), done AS (
	UPDATE archive.subjects AS s
	SET state         = @state,
	    last_class    = @class,
	    settled       = @settled,
	    last_run_id   = @run,
	    archived_at   = CASE WHEN @complete THEN least(now(), @started_at) ELSE s.archived_at END,
	    unlisted_at   = CASE WHEN @unlisted THEN coalesce(s.unlisted_at, now()) END,
	    newest_transaction = @newest,
	    attempts      = CASE WHEN s.row_version = s.lease_version THEN @attempts ELSE s.attempts END,
	    next_due_at   = CASE WHEN s.row_version = s.lease_version THEN now() + make_interval(secs => @next_due) ELSE s.next_due_at END,
	    due_reason    = CASE WHEN s.row_version = s.lease_version THEN @due_reason ELSE s.due_reason END,
	    lease_process = NULL,
	    lease_run     = NULL
	WHERE s.subject = @subject AND s.lease_process = @process AND s.lease_token = @token
	  AND EXISTS (SELECT 1 FROM open_run)
	  AND (NOT @needs_reservation OR EXISTS (SELECT 1 FROM reservation))
	RETURNING s.subject, s.user_id
), outcome AS (
	INSERT INTO archive.outcomes (run_id, subject, user_id, outcome, class, requests, bytes, started_at, ended_at,
	                              transaction_id, record_key, record_sha256, state, process, lease_token)
	SELECT @run, d.subject, d.user_id, @outcome, @outcome_class, @requests, @bytes, @started_at, now(),
	       @transaction, @record_key, @record_sha256, @state, @process, @token
	FROM done AS d
), image AS (
	INSERT INTO archive.images (subject, transaction_id, kind, ref, state, class, key, version_id, etag, bytes, media_type,
	                            width, height, sha256, flags, run_id, fetched_at)
	SELECT d.subject, i.transaction_id, i.kind, i.ref, i.state, i.class, i.key, i.version_id, i.etag, i.bytes, i.media_type,
	       i.width, i.height, i.sha256, i.flags, @run, i.fetched_at
	FROM done AS d, ROWS FROM (jsonb_to_recordset(@images) AS (
		transaction_id text, kind text, ref text, state text, class text, key text, version_id text, etag text, bytes bigint, media_type text,
		width integer, height integer, sha256 text, flags text[], fetched_at timestamptz)) WITH ORDINALITY AS i
		(transaction_id, kind, ref, state, class, key, version_id, etag, bytes, media_type, width, height, sha256, flags, fetched_at, place)
	WHERE NOT EXISTS (SELECT 1 FROM archive.transactions AS t WHERE t.transaction_id = i.transaction_id AND t.subject <> d.subject)
	ORDER BY i.place
	ON CONFLICT (key, ref) WHERE state = 'stored' DO NOTHING
), record AS (
	INSERT INTO archive.records (key, subject, transaction_id, sequence, version_id, sha256, run_id, archived_at)
	SELECT r.key, d.subject, r.transaction_id, r.sequence, r.version_id, r.sha256, @run, r.archived_at
	FROM done AS d, jsonb_to_recordset(@records) AS r (transaction_id text, key text, sequence integer, version_id text, sha256 text, archived_at timestamptz)
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
	WHERE ru.run_id = @run AND ru.user_id = d.user_id
)
SELECT count(*) FROM done`

func commitArgs(process string, result store.Result) pgx.StrictNamedArgs {
	standing := result.Standing()
	var nextDue *float64 // seconds from now; NULL is never
	if result.NextDue >= 0 {
		seconds := result.NextDue.Seconds()
		nextDue = &seconds
	}
	var record store.RecordRef
	if result.Record != nil {
		record = *result.Record
	}
	return pgx.StrictNamedArgs{
		"process": process,
		"token":   result.LeaseToken,
		"run":     result.RunID,
		"subject": result.Subject,

		"state":      standing.State,
		"class":      standing.Class,
		"settled":    standing.Settled,
		"complete":   standing.Complete,
		"unlisted":   standing.Unlisted,
		"newest":     standing.Newest,
		"attempts":   standing.Attempts,
		"due_reason": standing.DueReason,
		"next_due":   nextDue,

		"outcome":       result.Outcome,
		"outcome_class": result.Class,
		"requests":      result.Requests,
		"bytes":         result.Bytes,
		"started_at":    result.StartedAt,
		"transaction":   result.Transaction,
		"record_key":    record.Key,
		"record_sha256": record.SHA256,

		"images":            imageRows(result),
		"records":           recordRows(result.NewRecords),
		"needs_reservation": store.NamedTransaction(result.Transaction) && (len(result.Images) > 0 || len(result.NewRecords) > 0),
	}
}

// committedBefore is nil when this very result was written by an earlier try.
func (l *Ledger) committedBefore(ctx context.Context, process string, result store.Result) error {
	var found bool
	err := l.pool.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT 1 FROM archive.outcomes AS o
			WHERE o.run_id = $1 AND o.subject = $2 AND o.process = $3 AND o.lease_token = $4)`,
		result.RunID, result.Subject, process, result.LeaseToken).Scan(&found)
	if err == nil && !found {
		err = store.ErrLeaseLost
	}
	return err
}
