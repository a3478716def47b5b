package postgres

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// promoted bounds how many users whose due time has come are made ready by one
// claim. When more come due at once, the longest due are claimed first.
const promoted = 1000

// interpret keeps the planner from compiling a statement, for the rest of the
// transaction: it expects a look-up for each of a million rows, and would spend
// 0.2 s on what stops after a few.
const interpret = `SELECT set_config('jit', 'off', true)`

// Claim leases at most n users of the run to the process and returns them in
// the order in which they should be archived. None are left for this process
// now when the result is empty, also because closing the run has begun.
//
// Only a process that beats may claim: store.ErrProcessLost. Several processes
// get disjoint users. A run with a limit claims no more distinct users than that,
// over all its processes; a user taken over from a dead one counts once.
func (l *Ledger) Claim(ctx context.Context, run store.Run, process string, order store.ClaimOrder, n int) ([]store.Task, error) {
	token := rand.Int64()
	limit := run.Selection.Limit

	// All statements go in one round trip and are one transaction.
	var batch pgx.Batch
	batch.Queue(interpret)
	var alive bool
	batch.Queue(gateSQL(limit > 0), store.TakeoverAfter.Seconds(), process, run.ID).QueryRow(func(row pgx.Row) error { return row.Scan(&alive) })
	if lost := l.lostClaims(process); len(lost) > 0 {
		batch.Queue(`
			UPDATE archive.subjects SET lease_process = NULL
			WHERE lease_process = $1 AND lease_token = ANY($2)`, process, lost)
	}
	if !run.Selection.Chosen() {
		batch.Queue(promoteSQL, promoted)
	}
	var tasks []store.Task
	batch.Queue(claimSQL(run.Selection, order), claimArgs(process, run, n, token)...).Query(func(rows pgx.Rows) (err error) {
		tasks, err = pgx.CollectRows(rows, scanTask)
		return err
	})

	l.rememberClaim(process, token)
	err := l.pool.SendBatch(ctx, &batch).Close()
	switch {
	case noRow(err):
		return nil, l.failed("claim users", errNoRun)
	case err != nil:
		return nil, l.failed("claim users", err)
	case !alive:
		l.forgetClaims(process)
		return nil, l.failed("claim users", store.ErrProcessLost)
	}
	l.forgetClaims(process)
	return tasks, nil
}

// A claim whose answer never came may have leased users that nobody works on;
// the next claim of the process frees them by the token.

func (l *Ledger) lostClaims(process string) []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]int64(nil), l.unanswered[process]...)
}

func (l *Ledger) rememberClaim(process string, token int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unanswered[process] = append(l.unanswered[process], token)
}

func (l *Ledger) forgetClaims(process string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.unanswered, process)
}

// gateSQL locks the row of the run against being closed meanwhile, and of a run
// with a limit against other claims, so that the count is right.
func gateSQL(limited bool) string {
	lock := `FOR KEY SHARE OF r`
	if limited {
		lock = `FOR NO KEY UPDATE OF r`
	}
	return `SELECT $2 IN (` + liveProcesses + `) FROM archive.runs AS r WHERE r.run_id = $3 ` + lock
}

func claimArgs(process string, run store.Run, n int, token int64) []any {
	args := []any{store.TakeoverAfter.Seconds(), process, run.ID, n, token}
	if run.Selection.Limit > 0 {
		args = append(args, run.Selection.Limit)
	}
	return args
}

func scanTask(row pgx.CollectableRow) (store.Task, error) {
	var task store.Task
	var transaction *string
	var verified *time.Time
	err := row.Scan(&task.UserID, &task.Subject, &task.State, &task.Attempts, &transaction, &verified, &task.LeaseToken)
	if transaction != nil {
		task.TransactionID = *transaction
	}
	task.VerifiedAt = orZero(verified)
	return task, err
}
