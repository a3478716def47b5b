package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// Totals is the statement of a run, all of it of one moment.
func (l *Ledger) Totals(ctx context.Context, runID string) (store.RunTotals, error) {
	totals := store.RunTotals{
		Users:    make(map[store.State]int64),
		Outcomes: make(map[store.Outcome]int64),
		Failures: make(map[store.Class]int64),
		Requests: make(map[string]int64),
	}
	err := l.inTx(ctx, readSnapshot, func(tx pgx.Tx) error {
		run, err := readRun(ctx, tx, runID)
		if noRow(err) {
			return errNoRun
		}
		if err != nil {
			return err
		}
		totals.Run = run
		var batch pgx.Batch
		batch.Queue(jitOffSQL)
		queueTotals(&batch, runID, &totals)
		batch.Queue(`SELECT count(*) FROM archive.subjects AS s WHERE `+wantedSQL(run.Selection), pgx.StrictNamedArgs{"run": runID}).
			QueryRow(func(row pgx.Row) error { return row.Scan(&totals.DueLeft) })
		return tx.SendBatch(ctx, &batch).Close()
	})
	return totals, l.failed(fmt.Sprintf("read totals of run %q", runID), err)
}

func queueTotals(batch *pgx.Batch, runID string, totals *store.RunTotals) {
	queueCoverage(batch, totals.Users, &totals.UsersTotal, &totals.UsersLeft, &totals.UsersUnlisted, &totals.OldestPendingAt)
	batch.Queue(`
		SELECT o.outcome, o.class, count(*) FROM archive.outcomes AS o
		WHERE o.run_id = $1 GROUP BY o.outcome, o.class`, runID).Query(func(rows pgx.Rows) error {
		var outcome store.Outcome
		var class store.Class
		var users int64
		_, err := pgx.ForEachRow(rows, []any{&outcome, &class, &users}, func() error {
			totals.Outcomes[outcome] += users
			if outcome.Incomplete() {
				totals.Failures[class] += users
			}
			return nil
		})
		return err
	})
	batch.Queue(`
		SELECT count(*), coalesce(sum(i.bytes), 0)::bigint FROM archive.images AS i
		WHERE i.run_id = $1 AND i.state = 'stored'`, runID).QueryRow(func(row pgx.Row) error {
		return row.Scan(&totals.Images, &totals.Bytes)
	})
	batch.Queue(`
		SELECT q.key, sum(q.value::bigint)::bigint
		FROM archive.processes AS p, jsonb_each_text(p.requests) AS q
		WHERE p.run_id = $1 GROUP BY q.key`, runID).Query(func(rows pgx.Rows) error {
		var endpoint string
		var requests int64
		_, err := pgx.ForEachRow(rows, []any{&endpoint, &requests}, func() error {
			totals.Requests[endpoint] = requests
			return nil
		})
		return err
	})
	// A process that was killed could not report its last requests. Those of the
	// users it had finished are known, but not by endpoint.
	batch.Queue(`
		SELECT coalesce(sum(done.requests - reported.requests), 0)::bigint
		FROM (
			SELECT o.process, sum(o.requests) AS requests FROM archive.outcomes AS o
			WHERE o.run_id = $1 GROUP BY o.process
		) AS done
		JOIN archive.processes AS p ON p.process = done.process AND p.run_id = $1,
		LATERAL (SELECT coalesce(sum(q.value::bigint), 0) AS requests FROM jsonb_each_text(p.requests) AS q) AS reported
		WHERE done.requests > reported.requests`, runID).QueryRow(func(row pgx.Row) error {
		var unreported int64
		err := row.Scan(&unreported)
		if unreported > 0 {
			totals.Requests[store.UntoldRequests] = unreported
		}
		return err
	})
	batch.Queue(`
		SELECT r.sync_users, r.sync_new, r.sync_changed, r.sync_returned, r.sync_left, r.sync_left_held, r.sync_undated
		FROM archive.runs AS r WHERE r.run_id = $1`, runID).QueryRow(func(row pgx.Row) error {
		s := &totals.Sync
		return row.Scan(&s.Users, &s.New, &s.Changed, &s.Returned, &s.Left, &s.LeftHeld, &s.Undated)
	})
}

// queueCoverage reads all users of the archive by state.
func queueCoverage(batch *pgx.Batch, users map[store.State]int64, total, left, unlisted *int64, oldestPending *time.Time) {
	batch.Queue(`SELECT c.state, c.users, c.users_left, c.users_unlisted, c.oldest_pending_at FROM archive.coverage AS c`).Query(func(rows pgx.Rows) error {
		var state store.State
		var inState, leftInState, unlistedInState int64
		var oldest *time.Time
		_, err := pgx.ForEachRow(rows, []any{&state, &inState, &leftInState, &unlistedInState, &oldest}, func() error {
			users[state] = inState
			*total += inState
			*left += leftInState
			*unlisted += unlistedInState
			if state == store.StatePending {
				*oldestPending = orZero(oldest)
			}
			return nil
		})
		return err
	})
}
