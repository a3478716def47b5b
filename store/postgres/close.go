package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// BeginClose asks for the sole right to write the files of the run and to close
// it. From then on nobody claims users of the run or commits outcomes to it, since
// its files, which nothing replaces, may state what it did. When the process that
// has the right ends without having closed the run, another one may get it, and
// can do nothing else with the run.
//
// The answer is no when the run is closed or being closed, and when a live
// process still works in it: one that holds users or reads the user query, or,
// if the asking process does not belong to the run, any other.
func (l *Ledger) BeginClose(ctx context.Context, runID, process string) (bool, error) {
	var mine bool
	err := l.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockWaitSQL); err != nil {
			return err
		}
		// The lock waits for claims and commits that are under way, so that
		// the statement after it sees what they did.
		if _, err := tx.Exec(ctx, `SELECT 1 FROM archive.runs AS r WHERE r.run_id = $1 FOR UPDATE OF r`, runID); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			UPDATE archive.runs AS r SET close_process = @process
			WHERE r.run_id = @run AND r.status = 'open'
			  AND @process IN (`+liveProcesses+`)
			  AND (r.close_process IS NULL OR r.close_process = @process OR `+processGone+`r.close_process))
			  AND NOT (r.synced_at IS NULL AND r.sync_process IS NOT NULL AND r.sync_process <> @process
			           AND r.sync_process = ANY (ARRAY(`+liveProcesses+`)))
			  AND NOT EXISTS (
				SELECT 1 FROM archive.subjects AS s
				WHERE s.lease_process = ANY (ARRAY(`+liveProcesses+`)) AND s.lease_process <> @process AND s.lease_run = r.run_id)
			  AND (EXISTS (SELECT 1 FROM archive.processes AS me WHERE me.process = @process AND me.run_id = r.run_id)
			       OR NOT EXISTS (
				SELECT 1 FROM archive.processes AS other
				WHERE other.run_id = r.run_id AND other.process = ANY (ARRAY(`+liveProcesses+`))))`,
			pgx.StrictNamedArgs{"process": process, "run": runID})
		if err != nil {
			return err
		}
		mine = tag.RowsAffected() == 1
		return nil
	})
	return mine, l.failed(fmt.Sprintf("begin to close run %q", runID), err)
}

// FinishClose closes the run, whose SHA256SUMS from then on waits for its place
// in the log. It must be the process that BeginClose gave the right; when
// another has it by now, the error is store.ErrLeaseLost.
func (l *Ledger) FinishClose(ctx context.Context, runID, process string, status store.RunStatus, sums store.RunObject) error {
	var closed int
	err := l.pool.QueryRow(ctx, `
		WITH closed AS (
			UPDATE archive.runs SET status = $3, ended_at = coalesce(ended_at, clock_timestamp()), sums_key = $4
			WHERE run_id = $1 AND close_process = $2 AND status IN ('open', $3)
			RETURNING sums_key
		), waiting AS (
			INSERT INTO archive.log_waiting (sha256, kind, key)
			SELECT $5, 'run', c.sums_key FROM closed AS c
			WHERE NOT EXISTS (SELECT 1 FROM archive.log_entries AS e WHERE e.key = c.sums_key)
			ON CONFLICT (key) DO NOTHING
		)
		SELECT count(*) FROM closed`, runID, process, status, sums.Key, sums.SHA256).Scan(&closed)
	if err == nil && closed == 0 {
		err = store.ErrLeaseLost
	}
	return l.failed(fmt.Sprintf("close run %q", runID), err)
}
