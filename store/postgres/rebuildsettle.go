package postgres

import (
	"context"
	"time"

	"vlens-archiver/store"
)

// Settle derives from what was added where each subject stands and when it is
// due, which object each entry of the log is of, and what waits for its place
// there.
func (r *Rebuild) Settle(ctx context.Context, nextDue func(store.Result) time.Duration) (store.Rebuilt, error) {
	rebuilt, err := r.settle(ctx, nextDue)
	return rebuilt, r.failed("settle the subjects", err)
}

func (r *Rebuild) settle(ctx context.Context, nextDue func(store.Result) time.Duration) (store.Rebuilt, error) {
	if _, err := r.tx.Exec(ctx, `ANALYZE archive.outcomes; ANALYZE archive.records; ANALYZE pg_temp.findings; ANALYZE pg_temp.user_changes`); err != nil {
		return store.Rebuilt{}, err
	}
	if err := r.foldHistories(ctx, nextDue); err != nil {
		return store.Rebuilt{}, err
	}
	for _, sql := range []string{subjectsSQL, entriesOfObjectsSQL, waitingSQL, `ANALYZE archive.subjects`} {
		if _, err := r.tx.Exec(ctx, sql); err != nil {
			return store.Rebuilt{}, err
		}
	}
	if _, err := r.tx.Exec(ctx, acceptedLaterSQL, store.AcceptedAgain.Seconds()); err != nil {
		return store.Rebuilt{}, err
	}
	return r.count(ctx)
}

// subjectsSQL adds the subjects, those whom the source has with their user. One
// whose row in the source speaks of a verification that is newer than what was
// done last, or of a transaction that nothing was done about, is due at once: the
// lost ledger may have known it or not. Of a transaction that is somebody else's
// nothing follows, since the row names another one all along, nor, of users who are
// archived, where the archive knows no transaction by its id: the query got a column.
const subjectsSQL = `
INSERT INTO archive.subjects (subject, user_id, state, last_class, settled, first_seen_at, verified_at, transaction_id, left_at,
                              archived_at, newest_transaction, unlisted_at, attempts, next_due_at, due_reason, last_run_id)
SELECT x.subject, x.user_id, x.state, x.class, x.settled, x.first_at, x.verified_at, x.transaction_id, CASE WHEN x.user_id IS NULL THEN now() END,
       x.archived_at, x.newest, x.unlisted_at, x.attempts,
       CASE WHEN x.changed THEN now() WHEN x.user_id IS NOT NULL THEN x.last_at + make_interval(secs => x.seconds) END,
       CASE WHEN x.changed THEN 'changed' ELSE x.due_reason END,
       x.run_id
FROM (
	SELECT s.subject, s.state, s.class, s.settled, s.run_id, s.first_at, s.began_at, s.last_at, s.archived_at, s.newest, s.unlisted_at, s.attempts, s.due_reason, s.seconds,
	       u.user_id, u.transaction_id, u.verified_at,
	       u.user_id IS NOT NULL AND (coalesce(u.verified_at > s.began_at, false) OR s.transaction_id <> '' AND s.class <> 'shared_transaction' AND u.transaction_id IS NOT NULL
	           AND NOT (s.state = 'archived' AND s.newest LIKE 't-%' AND NOT EXISTS (SELECT 1 FROM archive.records AS named WHERE named.transaction_id NOT LIKE 't-%'))
	           AND NOT EXISTS (SELECT 1 FROM archive.outcomes AS o WHERE o.subject = s.subject AND o.transaction_id = u.transaction_id::text)
	           AND NOT EXISTS (SELECT 1 FROM archive.records AS r WHERE r.subject = s.subject AND r.transaction_id = u.transaction_id::text)) AS changed
	FROM pg_temp.standing AS s
	LEFT JOIN (
		SELECT n.subject, n.user_id, q.transaction_id::uuid AS transaction_id, q.verified_at
		FROM pg_temp.new_subjects AS n JOIN pg_temp.user_changes AS q ON q.user_id = n.user_id
	) AS u ON u.subject = s.subject
) AS x`

// acceptedLaterSQL puts those off whose failure a person has accepted, as the act
// did, and each attempt since.
const acceptedLaterSQL = `
UPDATE archive.subjects AS s
SET next_due_at = greatest(s.next_due_at, a.at + make_interval(secs => $1), n.last_at + make_interval(secs => $1))
FROM archive.accepted AS a JOIN pg_temp.standing AS n ON n.subject = a.subject
WHERE s.subject = a.subject AND s.due_reason = 'retry' AND s.next_due_at IS NOT NULL`

// entriesOfObjectsSQL finds the object of each entry by its hash. An object that
// is gone may still be named by an outcome; one that nothing names keeps its
// place under a key that no object has, so that a verification misses it.
const entriesOfObjectsSQL = `
INSERT INTO archive.log_entries (log_index, sha256, kind, key)
SELECT e.log_index, e.sha256, CASE WHEN n.key IS NOT NULL THEN 'run' WHEN x.key IS NOT NULL THEN 'statement' ELSE 'record' END,
       coalesce(r.key, n.key, x.key, o.record_key, 'lost/' || e.log_index)
FROM pg_temp.entries AS e
LEFT JOIN archive.records AS r ON r.sha256 = e.sha256
LEFT JOIN pg_temp.run_sums AS n ON n.sha256 = e.sha256
LEFT JOIN (SELECT DISTINCT a.audit_key AS key, a.audit_sha256 AS sha256 FROM archive.exceptions AS a) AS x ON x.sha256 = e.sha256
LEFT JOIN (
	SELECT c.record_sha256, min(c.record_key) AS record_key FROM archive.outcomes AS c WHERE c.record_key <> '' GROUP BY c.record_sha256
) AS o ON o.record_sha256 = e.sha256
ORDER BY e.log_index`

const waitingSQL = `
INSERT INTO archive.log_waiting (sha256, kind, key)
SELECT x.sha256, x.kind, x.key
FROM (
	SELECT r.sha256, 'record' AS kind, r.key, r.archived_at AS at FROM archive.records AS r
	UNION ALL
	SELECT n.sha256, 'run', n.key, n.ended_at FROM pg_temp.run_sums AS n
	UNION ALL
	SELECT DISTINCT a.audit_sha256, 'statement', a.audit_key, a.at FROM archive.exceptions AS a
) AS x
WHERE NOT EXISTS (SELECT 1 FROM archive.log_entries AS e WHERE e.key = x.key)
ORDER BY x.at, x.key`

func (r *Rebuild) count(ctx context.Context) (store.Rebuilt, error) {
	var n store.Rebuilt
	err := r.tx.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM archive.records), (SELECT count(*) FROM archive.images AS i WHERE i.state = 'stored'),
		       (SELECT count(*) FROM archive.runs), (SELECT count(*) FROM archive.outcomes),
		       (SELECT count(*) FROM archive.subjects), (SELECT count(*) FROM archive.subjects AS s WHERE s.user_id IS NOT NULL),
		       (SELECT count(*) FROM archive.subjects AS s WHERE s.user_id IS NOT NULL AND s.next_due_at <= now()),
		       (SELECT count(*) FROM archive.log_entries), (SELECT count(*) FROM archive.log_entries AS e WHERE e.key LIKE 'lost/%'),
		       (SELECT count(*) FROM archive.log_waiting),
		       (SELECT count(*) FROM archive.access_log), (SELECT count(*) FROM archive.verifications),
		       (SELECT count(*) FROM archive.exceptions)`).
		Scan(&n.Records, &n.Images, &n.Runs, &n.Outcomes, &n.Subjects, &n.Linked, &n.DueAtOnce, &n.LogEntries, &n.LostEntries,
			&n.Waiting, &n.Exports, &n.Verifications, &n.Exceptions)
	return n, err
}
