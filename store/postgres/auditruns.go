package postgres

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// AuditRuns yields the runs, or the one with this id, in the order of the keys
// of their files, with the entry that sums, the key of a run's SHA256SUMS, has
// in the log. An error is the last that it yields.
func (l *Ledger) AuditRuns(ctx context.Context, runID string, sums func(store.Run) string) iter.Seq2[store.RunCheck, error] {
	return func(yield func(store.RunCheck, error) bool) {
		failed := func(err error) { yield(store.RunCheck{}, l.failed("read runs", err)) }
		rows, _ := l.pool.Query(ctx, `
			SELECT run_id, kind, status, started_at, ended_at, selection, tool_version, config_sha256
			FROM archive.runs
			WHERE $1 = '' OR run_id = $1
			ORDER BY to_char(started_at AT TIME ZONE 'UTC', 'YYYY/MM/DD') COLLATE "C", (run_id || '/') COLLATE "C"`, runID)
		// A row is short and there is one for each night: all of them fit.
		runs, err := pgx.CollectRows(rows, scanRun)
		if err != nil {
			failed(err)
			return
		}
		for _, run := range runs {
			check, err := l.auditRun(ctx, run, sums(run))
			if err != nil {
				failed(err)
				return
			}
			if !yield(check, nil) {
				return
			}
		}
	}
}

func (l *Ledger) auditRun(ctx context.Context, run store.Run, sums string) (store.RunCheck, error) {
	check := store.RunCheck{Run: run, Outcomes: make(map[store.Outcome]int64), Failures: make(map[store.Class]int64), LogIndex: -1}
	var batch pgx.Batch
	// Runs of builds that did not note the state counted every class as a failure.
	batch.Queue(`
		SELECT o.outcome, CASE WHEN o.outcome IN ('failed', 'partial') OR o.state = '' THEN o.class ELSE '' END AS counted, count(*)
		FROM archive.outcomes AS o
		WHERE o.run_id = $1 GROUP BY o.outcome, counted`, run.ID).Query(func(rows pgx.Rows) error {
		var outcome store.Outcome
		var class store.Class
		var users int64
		_, err := pgx.ForEachRow(rows, []any{&outcome, &class, &users}, func() error {
			check.Outcomes[outcome] += users
			if class != store.ClassNone {
				check.Failures[class] += users
			}
			return nil
		})
		return err
	})
	batch.Queue(`
		SELECT count(*), coalesce(sum(i.bytes), 0)::bigint FROM archive.images AS i
		WHERE i.run_id = $1 AND i.state = 'stored'`, run.ID).QueryRow(func(row pgx.Row) error {
		return row.Scan(&check.Images, &check.Bytes)
	})
	batch.Queue(`
		SELECT coalesce(e.log_index, -1), coalesce(e.sha256, ''), r.checkpoint_at IS NOT NULL
		FROM archive.runs AS r LEFT JOIN archive.log_entries AS e ON e.key = $1
		WHERE r.run_id = $2`, sums, run.ID).QueryRow(func(row pgx.Row) error {
		return row.Scan(&check.LogIndex, &check.LogSHA256, &check.Checkpointed)
	})
	return check, l.pool.SendBatch(ctx, &batch).Close()
}

// AuditRunUsers yields the outcomes of a run in the order of the subjects. An
// error is the last that it yields.
func (l *Ledger) AuditRunUsers(ctx context.Context, runID string) iter.Seq2[store.RunUserRow, error] {
	return pages(store.RunUserRow{}, auditPage, func(last store.RunUserRow) ([]store.RunUserRow, error) {
		rows, _ := l.pool.Query(ctx, `
			SELECT o.subject, o.outcome, o.state, o.class, o.transaction_id, o.record_key, o.record_sha256, o.requests,
			       coalesce((SELECT jsonb_object_agg(i.key, jsonb_build_object('SHA256', i.sha256, 'Bytes', i.bytes))
			                 FROM archive.images AS i
			                 WHERE i.subject = o.subject AND i.transaction_id = o.transaction_id AND i.state = 'stored'), '{}')
			FROM archive.outcomes AS o
			WHERE o.run_id = $1 AND o.subject > $2
			ORDER BY o.subject LIMIT $3`, runID, last.Subject, auditPage)
		page, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (store.RunUserRow, error) {
			var u store.RunUserRow
			err := row.Scan(&u.Subject, &u.Outcome, &u.State, &u.Class, &u.Transaction, &u.Record.Key, &u.Record.SHA256, &u.Requests, &u.Stored)
			return u, err
		})
		return page, l.failed(fmt.Sprintf("read outcomes of run %q", runID), err)
	})
}

// AuditRunObjects yields the images and records that the ledger gives to a run,
// each once, in the order of their keys. An error is the last that it yields.
func (l *Ledger) AuditRunObjects(ctx context.Context, runID string) iter.Seq2[store.RunObject, error] {
	return pages(store.RunObject{}, auditObjects, func(last store.RunObject) ([]store.RunObject, error) {
		rows, _ := l.pool.Query(ctx, `
			SELECT x.key, min(x.version_id), min(x.sha256)
			FROM (
				SELECT i.key, i.version_id, i.sha256 FROM archive.images AS i WHERE i.run_id = $1 AND i.state = 'stored' AND i.key > $2
				UNION ALL
				SELECT r.key, r.version_id, r.sha256 FROM archive.records AS r WHERE r.run_id = $1 AND r.key > $2
			) AS x
			GROUP BY x.key ORDER BY x.key LIMIT $3`, runID, last.Key, auditObjects)
		page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[store.RunObject])
		return page, l.failed(fmt.Sprintf("read objects of run %q", runID), err)
	})
}

// auditObjects is how many objects of a run are read at a time: more than
// auditPage, since a page may have to sort what is left of the run.
const auditObjects = 20_000
