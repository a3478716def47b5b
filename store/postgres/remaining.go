package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// dueCounted bounds Remaining.Due: who asks wants to know whether work is left.
const dueCounted = 10_000

// Remaining says what is left of the run for this process. A run that is closed,
// or that a process has begun to close, has nobody left who is due.
func (l *Ledger) Remaining(ctx context.Context, run store.Run, process string) (store.Remaining, error) {
	var remaining store.Remaining
	var batch pgx.Batch
	batch.Queue(interpret)
	limit := run.Selection.Limit
	batch.Queue(`
		SELECT (SELECT count(*) FROM archive.subjects AS s
		        WHERE s.lease_process IN (`+liveProcesses+`) AND (s.lease_run = $3 OR `+awaitedSQL(run.Selection)+`)),
		       (SELECT count(*) FROM archive.processes AS p
		        WHERE p.run_id = $3 AND p.process <> $2 AND p.process IN (`+liveProcesses+`)),
		       EXISTS (SELECT 1 FROM archive.runs AS r
		        WHERE r.run_id = $3 AND r.status = 'open' AND r.close_process <> $2 AND r.close_process IN (`+liveProcesses+`)),
		       $4 > 0 AND (SELECT r.claimed FROM archive.runs AS r WHERE r.run_id = $3) >= $4,
		       (SELECT count(*) FROM archive.outcomes AS o WHERE o.run_id = $3)`,
		store.TakeoverAfter.Seconds(), process, run.ID, int64(limit)).QueryRow(func(row pgx.Row) error {
		return row.Scan(&remaining.Leased, &remaining.Others, &remaining.Closing, &remaining.Limited, &remaining.Outcomes)
	})
	batch.Queue(dueSQL(run.Selection), store.TakeoverAfter.Seconds(), dueCounted, run.ID).QueryRow(func(row pgx.Row) error {
		return row.Scan(&remaining.Due)
	})
	if err := l.pool.SendBatch(ctx, &batch).Close(); err != nil {
		return store.Remaining{}, l.failed(fmt.Sprintf("count what remains of run %q", run.ID), err)
	}
	return remaining, nil
}

// awaitedSQL is the condition under which the run waits for a user whom a process
// of another run holds: should that process be dead, the user is left to this
// run, if that may still claim users. Parameter: run as $3, limit as $4.
func awaitedSQL(selection store.Selection) string {
	const room = `EXISTS (
		SELECT 1 FROM archive.runs AS r
		WHERE r.run_id = $3 AND r.status = 'open' AND r.close_process IS NULL AND ($4 = 0 OR r.claimed < $4))`
	return room + ` AND ` + leftSQL(selection, `$3`)
}

// leftSQL is the condition that a user is one the run is for and has no outcome
// in it, whoever holds the user and whether or not the run is still open.
func leftSQL(selection store.Selection, run string) string {
	if selection.Chosen() {
		return `EXISTS (SELECT 1 FROM archive.run_users AS ru
			WHERE ru.run_id = ` + run + ` AND ru.user_id = s.user_id AND ru.done_at IS NULL
			  AND ` + stillChosen + `)`
	}
	return `s.next_due_at <= now() AND s.left_at IS NULL AND s.user_id IS NOT NULL
		AND (SELECT 1 FROM archive.outcomes AS o WHERE o.run_id = ` + run + ` AND o.subject = s.subject) IS NULL`
}

// dueSQL counts the users the run may claim now. It asks what claimSQL asks,
// without the caller's own heartbeat. Parameters: takeover seconds, bound, run.
func dueSQL(selection store.Selection) string {
	// OFFSET 0 makes the planner go from the selection to the users, one by one.
	const selected = `SELECT 1 FROM archive.run_users AS ru
		CROSS JOIN LATERAL (SELECT s.left_at FROM archive.subjects AS s WHERE s.user_id = ru.user_id AND ` + free + ` OFFSET 0) AS s
		WHERE ru.run_id = $3 AND ru.done_at IS NULL`
	const chosen = selected + ` AND ` + stillChosen
	const ready = `SELECT 1 FROM archive.subjects AS s WHERE ` + dueNow + ` AND ` + free
	const coming = `SELECT 1 FROM archive.subjects AS s WHERE ` + comeDue + ` AND ` + free

	if selection.Limit == 0 {
		if selection.Chosen() {
			return `SELECT count(*) FROM (` + chosen + ` LIMIT $2) AS x`
		}
		return `SELECT least($2, count(*)) FROM ((` + ready + ` LIMIT $2) UNION ALL (` + coming + ` LIMIT $2)) AS x`
	}

	room := fmt.Sprintf(` LIMIT (SELECT greatest(0, least($2, %d - r.claimed)) FROM archive.runs AS r WHERE r.run_id = $3)`, selection.Limit)
	// A user who was claimed and has left since is still to be done.
	const again = `(` + selected + ` AND ru.claimed_at IS NOT NULL LIMIT $2)`
	fresh := `(` + chosen + ` AND ru.claimed_at IS NULL LIMIT $2)`
	if !selection.Chosen() {
		fresh = `(` + ready + ` AND ` + newToRun + ` LIMIT $2) UNION ALL (` + coming + ` AND ` + newToRun + ` LIMIT $2)`
	}
	return `SELECT (SELECT count(*) FROM ` + again + ` AS a) + (SELECT count(*) FROM (SELECT 1 FROM (` + fresh + `) AS f` + room + `) AS g)`
}
