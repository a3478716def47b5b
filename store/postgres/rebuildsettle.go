package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// Settle derives from what was added where each subject stands and when it is
// due, which object each entry of the log is of, and what waits for its place
// there.
func (r *Rebuild) Settle(ctx context.Context, nextDue func(store.Outcome, store.Class, int) time.Duration) (store.Rebuilt, error) {
	rebuilt, err := r.settle(ctx, nextDue)
	return rebuilt, r.failed("settle the subjects", err)
}

func (r *Rebuild) settle(ctx context.Context, nextDue func(store.Outcome, store.Class, int) time.Duration) (store.Rebuilt, error) {
	if _, err := r.tx.Exec(ctx, `ANALYZE archive.outcomes; ANALYZE archive.records; ANALYZE pg_temp.findings; ANALYZE pg_temp.user_changes`); err != nil {
		return store.Rebuilt{}, err
	}
	if _, err := r.tx.Exec(ctx, standingSQL); err != nil {
		return store.Rebuilt{}, err
	}
	if err := r.schedule(ctx, nextDue); err != nil {
		return store.Rebuilt{}, err
	}
	for _, sql := range []string{subjectsSQL, entriesOfObjectsSQL, waitingSQL, `ANALYZE archive.subjects`} {
		if _, err := r.tx.Exec(ctx, sql); err != nil {
			return store.Rebuilt{}, err
		}
	}
	return r.count(ctx)
}

// standingSQL folds what happened to each subject, in the order of time: the
// outcomes, and the records of runs whose files are missing. The state is that of
// store.State.After: once archived, always archived.
const standingSQL = `
CREATE TEMPORARY TABLE standing ON COMMIT DROP AS
WITH happened AS (
	SELECT o.subject, o.outcome, o.class, o.run_id, o.ended_at AS at, o.transaction_id FROM archive.outcomes AS o
	UNION ALL
	SELECT f.subject, f.outcome, f.class, f.run_id, f.at, '' FROM pg_temp.findings AS f
	WHERE NOT EXISTS (SELECT 1 FROM archive.outcomes AS o WHERE o.run_id = f.run_id AND o.subject = f.subject)
), numbered AS (
	SELECT h.subject, h.outcome, h.class, h.run_id, h.at, h.transaction_id,
	       row_number() OVER (PARTITION BY h.subject ORDER BY h.at DESC, h.run_id DESC) AS back,
	       count(*) FILTER (WHERE h.outcome IN ('archived', 'unchanged')) OVER (PARTITION BY h.subject ORDER BY h.at DESC, h.run_id DESC) AS successes
	FROM happened AS h
)
SELECT n.subject,
       CASE WHEN bool_or(n.outcome IN ('archived', 'unchanged')) THEN 'archived'
            WHEN bool_or(n.outcome = 'partial') THEN 'partial'
            ELSE min(n.outcome) FILTER (WHERE n.back = 1) END AS state,
       min(n.outcome) FILTER (WHERE n.back = 1) AS outcome,
       min(n.class) FILTER (WHERE n.back = 1)   AS class,
       min(n.run_id) FILTER (WHERE n.back = 1)  AS run_id,
       min(n.transaction_id) FILTER (WHERE n.back = 1) AS transaction_id,
       max(n.at) AS last_at,
       min(n.at) AS first_at,
       coalesce(max(n.at) FILTER (WHERE n.outcome = 'archived'), min(n.at) FILTER (WHERE n.outcome = 'unchanged')) AS archived_at,
       (count(*) FILTER (WHERE n.successes = 0))::integer AS attempts,
       NULL::timestamptz AS next_due_at
FROM numbered AS n
GROUP BY n.subject`

// schedule gives each subject its next due time, counted from when it was last
// done and not from now: after a rebuild nobody is due who was not due before.
func (r *Rebuild) schedule(ctx context.Context, nextDue func(store.Outcome, store.Class, int) time.Duration) error {
	if _, err := r.tx.Exec(ctx, `
		CREATE UNIQUE INDEX ON pg_temp.standing (subject);
		ANALYZE pg_temp.standing;
		CREATE TEMPORARY TABLE delays (subject text COLLATE "C", seconds double precision) ON COMMIT DROP;
		DECLARE standings NO SCROLL CURSOR FOR SELECT s.subject, s.outcome, s.class, s.attempts FROM pg_temp.standing AS s`); err != nil {
		return err
	}
	for {
		rows, err := r.tx.Query(ctx, fmt.Sprintf(`FETCH %d FROM standings`, subjectBatch))
		if err != nil {
			return err
		}
		var delays [][]any
		var subject string
		var outcome store.Outcome
		var class store.Class
		var attempts int
		if _, err := pgx.ForEachRow(rows, []any{&subject, &outcome, &class, &attempts}, func() error {
			// The policy counts the failures before the one at hand.
			if delay := nextDue(outcome, class, max(0, attempts-1)); delay >= 0 {
				delays = append(delays, []any{subject, delay.Seconds()})
			} else {
				delays = append(delays, []any{subject, nil})
			}
			return nil
		}); err != nil {
			return err
		}
		if len(delays) == 0 {
			return nil
		}
		if _, err := r.tx.CopyFrom(ctx, pgx.Identifier{"pg_temp", "delays"}, []string{"subject", "seconds"}, pgx.CopyFromRows(delays)); err != nil {
			return err
		}
	}
}

// subjectsSQL adds the subjects, those whom the source has with their user. One
// whose row in the source speaks of a verification that is newer than what was
// done last, or of a transaction that nothing was done about, is due at once: the
// lost ledger may have known it or not. Of a transaction that is somebody else's
// nothing follows: the row names another one all along.
const subjectsSQL = `
INSERT INTO archive.subjects (subject, user_id, state, last_class, first_seen_at, verified_at, transaction_id, left_at,
                              archived_at, attempts, next_due_at, due_reason, last_run_id)
SELECT x.subject, x.user_id, x.state, x.class, x.first_at, x.verified_at, x.transaction_id, CASE WHEN x.user_id IS NULL THEN now() END,
       x.archived_at, x.attempts,
       CASE WHEN x.changed THEN now() WHEN x.user_id IS NOT NULL THEN x.last_at + make_interval(secs => x.seconds) END,
       CASE WHEN x.changed THEN 'changed' WHEN x.outcome IN ('archived', 'unchanged') THEN 'recheck' ELSE 'retry' END,
       x.run_id
FROM (
	SELECT s.subject, s.state, s.class, s.outcome, s.run_id, s.first_at, s.last_at, s.archived_at, s.attempts, d.seconds,
	       u.user_id, u.transaction_id, u.verified_at,
	       u.user_id IS NOT NULL AND (coalesce(u.verified_at > s.last_at, false) OR s.transaction_id <> '' AND s.class <> 'shared_transaction' AND u.transaction_id IS NOT NULL
	           AND NOT EXISTS (SELECT 1 FROM archive.outcomes AS o WHERE o.subject = s.subject AND o.transaction_id = u.transaction_id::text)
	           AND NOT EXISTS (SELECT 1 FROM archive.records AS r WHERE r.subject = s.subject AND r.transaction_id = u.transaction_id::text)) AS changed
	FROM pg_temp.standing AS s
	JOIN pg_temp.delays AS d ON d.subject = s.subject
	LEFT JOIN (
		SELECT n.subject, n.user_id, q.transaction_id::uuid AS transaction_id, q.verified_at
		FROM pg_temp.new_subjects AS n JOIN pg_temp.user_changes AS q ON q.user_id = n.user_id
	) AS u ON u.subject = s.subject
) AS x`

// entriesOfObjectsSQL finds the object of each entry by its hash. An object that
// is gone may still be named by an outcome; one that nothing names keeps its
// place under a key that no object has, so that a verification misses it.
const entriesOfObjectsSQL = `
INSERT INTO archive.log_entries (log_index, sha256, kind, key)
SELECT e.log_index, e.sha256, CASE WHEN n.key IS NULL THEN 'record' ELSE 'run' END,
       coalesce(r.key, n.key, o.record_key, 'lost/' || e.log_index)
FROM pg_temp.entries AS e
LEFT JOIN archive.records AS r ON r.sha256 = e.sha256
LEFT JOIN pg_temp.run_sums AS n ON n.sha256 = e.sha256
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
		       (SELECT count(*) FROM archive.access_log), (SELECT count(*) FROM archive.verifications)`).
		Scan(&n.Records, &n.Images, &n.Runs, &n.Outcomes, &n.Subjects, &n.Linked, &n.DueAtOnce, &n.LogEntries, &n.LostEntries,
			&n.Waiting, &n.Exports, &n.Verifications)
	return n, err
}
