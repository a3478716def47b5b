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
	batch.Queue(jitOffSQL)
	// A user whom another run holds is waited for: should that run's process be
	// dead, this run may claim the user.
	batch.Queue(`
		SELECT (SELECT count(*) FROM archive.subjects AS s
		        WHERE s.lease_process IN (`+liveProcesses+`)
		          AND (s.lease_run = @run OR (`+runOpen+` AND `+wantedSQL(run.Selection)+`))),
		       (SELECT count(*) FROM archive.processes AS p
		        WHERE p.run_id = @run AND p.process <> @process AND p.process IN (`+liveProcesses+`)),
		       EXISTS (SELECT 1 FROM archive.runs AS r
		        WHERE r.run_id = @run AND r.status = 'open' AND r.close_process <> @process AND r.close_process IN (`+liveProcesses+`))`,
		pgx.StrictNamedArgs{"run": run.ID, "process": process}).QueryRow(func(row pgx.Row) error {
		return row.Scan(&remaining.Leased, &remaining.Others, &remaining.Closing)
	})
	count := countDueSQL
	if run.Selection.Chosen() {
		count = countChosenSQL
	}
	batch.Queue(count, pgx.StrictNamedArgs{"run": run.ID, "most": dueCounted}).QueryRow(func(row pgx.Row) error {
		return row.Scan(&remaining.Due)
	})
	if err := l.pool.SendBatch(ctx, &batch).Close(); err != nil {
		return store.Remaining{}, l.failed(fmt.Sprintf("count what remains of run %q", run.ID), err)
	}
	return remaining, nil
}
