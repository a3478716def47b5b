package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// LogState says how much of what is archived is in the published log.
func (l *Ledger) LogState(ctx context.Context) (store.LogState, error) {
	state, _, err := scanLogState(l.pool.QueryRow(ctx, logStateSQL))
	return state, l.failed("read the state of the log", err)
}

// logStateSQL selects what scanLogState reads.
const logStateSQL = `
	SELECT log.size, log.root, log.etag, log.sealed_at, ` + entriesSQL + `,
	       (SELECT count(*) FROM archive.log_waiting),
	       (SELECT count(*) FROM ` + sealedRuns + `)
	FROM archive.log AS log`

func scanLogState(row pgx.Row) (state store.LogState, sealedAt time.Time, err error) {
	var sealed *time.Time
	err = row.Scan(&state.Head.Size, &state.Head.Root, &state.Head.ETag, &sealed, &state.Entries, &state.Waiting, &state.Runs)
	return state, orZero(sealed), err
}

// entriesSQL is the number of entries that have an index.
const entriesSQL = `(SELECT coalesce(max(e.log_index) + 1, 0) FROM archive.log_entries AS e)`

// sealedRuns are the runs r whose entry e is under the head of the log, and
// beside whose files no checkpoint was put yet.
const sealedRuns = `archive.runs AS r JOIN archive.log_entries AS e ON e.key = r.sums_key
	WHERE r.checkpoint_at IS NULL AND r.sums_key <> '' AND e.log_index < (SELECT h.size FROM archive.log AS h)`

// BeginSeal asks for the sole right to extend the log. The answer is no while
// another live process has it. Who asks again gets a new token, and the old one
// is void.
func (l *Ledger) BeginSeal(ctx context.Context, process string) (store.SealLease, bool, error) {
	lease := store.SealLease{Process: process}
	err := l.pool.QueryRow(ctx, `
		UPDATE archive.log AS log SET lease_process = $1, lease_token = log.lease_token + 1
		WHERE $1 IN (`+liveProcesses+`)
		  AND (log.lease_process IS NULL OR log.lease_process = $1 OR `+processGone+`log.lease_process))
		RETURNING log.lease_token, log.size, log.root, log.etag`,
		process).Scan(&lease.Token, &lease.Head.Size, &lease.Head.Root, &lease.Head.ETag)
	if noRow(err) {
		return store.SealLease{}, false, nil
	}
	return lease, err == nil, l.failed("begin to seal", err)
}

// AssignEntries gives the next indexes to up to n of the records, runs and statements that
// wait, in the order in which they came, and returns how many entries there are
// now. Without the lease nothing is assigned: store.ErrLeaseLost.
func (l *Ledger) AssignEntries(ctx context.Context, lease store.SealLease, n int) (int64, error) {
	var entries int64
	err := l.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		// The lock makes one assignment wait for another, so that there is no gap
		// and no index is given twice.
		tag, err := tx.Exec(ctx, `
			SELECT 1 FROM archive.log AS log
			WHERE log.lease_process = $1 AND log.lease_token = $2 FOR UPDATE OF log`, lease.Process, lease.Token)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return store.ErrLeaseLost
		}
		_, err = tx.Exec(ctx, `
			WITH taken AS (
				DELETE FROM archive.log_waiting AS w
				WHERE w.waiting_id IN (SELECT f.waiting_id FROM archive.log_waiting AS f ORDER BY f.waiting_id LIMIT $1)
				RETURNING w.waiting_id, w.sha256, w.kind, w.key
			)
			INSERT INTO archive.log_entries (log_index, sha256, kind, key)
			SELECT `+entriesSQL+` + row_number() OVER (ORDER BY t.waiting_id) - 1, t.sha256, t.kind, t.key
			FROM taken AS t`, n)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT `+entriesSQL).Scan(&entries)
	})
	if hasCode(err, uniqueViolation) {
		err = errConflictingHistory
	}
	return entries, l.failed("assign log indexes", err)
}

// LogEntries are the entries from one index up to, and without, another.
func (l *Ledger) LogEntries(ctx context.Context, from, to int64) ([]store.LogEntry, error) {
	rows, err := l.pool.Query(ctx, `
		SELECT e.log_index, e.sha256, e.kind, e.key FROM archive.log_entries AS e
		WHERE e.log_index >= $1 AND e.log_index < $2 ORDER BY e.log_index`, from, to)
	if err != nil {
		return nil, l.failed("read log entries", err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e store.LogEntry, err error) {
		return e, row.Scan(&e.Index, &e.SHA256, &e.Kind, &e.Key)
	})
	if err == nil && int64(len(entries)) != to-from {
		err = errMissingEntries
	}
	return entries, l.failed("read log entries", err)
}

// NoteCheckpoint keeps what was published. The log never becomes shorter, and
// without the lease nothing is noted: store.ErrLeaseLost.
func (l *Ledger) NoteCheckpoint(ctx context.Context, lease store.SealLease, head store.LogHead) error {
	tag, err := l.pool.Exec(ctx, `
		UPDATE archive.log SET size = $3, root = $4, etag = $5, sealed_at = clock_timestamp()
		WHERE lease_process = $1 AND lease_token = $2 AND size <= $3`,
		lease.Process, lease.Token, head.Size, head.Root, head.ETag)
	if err == nil && tag.RowsAffected() == 0 {
		err = store.ErrLeaseLost
	}
	return l.failed("note the checkpoint", err)
}

// EndSeal gives the lease back. Without it nothing happens.
func (l *Ledger) EndSeal(ctx context.Context, lease store.SealLease) error {
	_, err := l.pool.Exec(ctx, `
		UPDATE archive.log SET lease_process = NULL WHERE lease_process = $1 AND lease_token = $2`, lease.Process, lease.Token)
	return l.failed("end sealing", err)
}

// SealedRuns are the closed runs under the head of the log beside whose files no
// checkpoint was put yet.
func (l *Ledger) SealedRuns(ctx context.Context) ([]store.SealedRun, error) {
	rows, err := l.pool.Query(ctx, `SELECT r.run_id, r.started_at, e.log_index FROM `+sealedRuns+` ORDER BY e.log_index`)
	if err != nil {
		return nil, l.failed("list sealed runs", err)
	}
	runs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r store.SealedRun, err error) {
		return r, row.Scan(&r.ID, &r.StartedAt, &r.Index)
	})
	return runs, l.failed("list sealed runs", err)
}

// NoteRunCheckpoint keeps that there is a checkpoint beside the run's files.
func (l *Ledger) NoteRunCheckpoint(ctx context.Context, runID string) error {
	_, err := l.pool.Exec(ctx, `
		UPDATE archive.runs SET checkpoint_at = coalesce(checkpoint_at, clock_timestamp()) WHERE run_id = $1`, runID)
	return l.failed(fmt.Sprintf("note the checkpoint of run %q", runID), err)
}
