package postgres

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// jitOffSQL keeps the planner from compiling a statement, for the rest of the
// transaction: it expects a look-up for each of a million rows, and would spend
// 0.2 s on what stops after a few.
const jitOffSQL = `SELECT set_config('jit', 'off', true)`

// lockWaitSQL bounds the wait for rows that another session has locked, for the
// rest of the transaction: store.ErrLocked.
const lockWaitSQL = `SELECT set_config('lock_timeout', '10s', true)`

// askTimeout is when a short statement that the server did not end is given up.
const askTimeout = time.Minute

// lockRunSQL keeps the run from being closed until the transaction ends, and says
// whether the process lives.
var lockRunSQL = `
	SELECT @process IN (` + liveProcesses + `) FROM archive.runs AS r WHERE r.run_id = @run FOR KEY SHARE OF r`

// Claim leases at most n users of the run to the process and returns them in
// the order in which they should be archived. None are left for this process
// now when the result is empty, also because closing the run has begun.
//
// Only a process that beats may claim: store.ErrProcessLost. Several processes
// get disjoint users.
func (l *Ledger) Claim(ctx context.Context, run store.Run, process string, order store.ClaimOrder, n int) ([]store.Task, error) {
	token := rand.Int64()

	// All statements go in one round trip and are one transaction.
	var batch pgx.Batch
	batch.Queue(jitOffSQL)
	batch.Queue(lockWaitSQL)
	var alive bool
	batch.Queue(lockRunSQL, pgx.StrictNamedArgs{"run": run.ID, "process": process}).QueryRow(func(row pgx.Row) error { return row.Scan(&alive) })
	// A claim whose answer never came may have leased users that nobody works on.
	if unanswered := l.unansweredClaims(process); len(unanswered) > 0 {
		batch.Queue(`
			UPDATE archive.subjects SET lease_process = NULL
			WHERE lease_process = $1 AND lease_token = ANY($2)`, process, unanswered)
	}
	sql, args := claimDueSQL, pgx.StrictNamedArgs{"run": run.ID, "process": process, "n": n, "token": token}
	if run.Selection.Chosen() {
		sql = claimChosenSQL
	} else {
		args["longest_first"] = order == store.LongestDue
	}
	var tasks []store.Task
	batch.Queue(sql, args).Query(func(rows pgx.Rows) (err error) {
		tasks, err = pgx.CollectRows(rows, scanTask)
		return err
	})

	err := l.send(ctx, &batch)
	l.noteClaim(process, token, err == nil)
	switch {
	case noRow(err):
		return nil, l.failed("claim users", errNoRun)
	case err != nil:
		return nil, l.failed("claim users", err)
	case !alive:
		return nil, l.failed("claim users", store.ErrProcessLost)
	}
	return tasks, nil
}

func (l *Ledger) unansweredClaims(process string) []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.unanswered[process])
}

// noteClaim keeps the token of a claim that was not answered, for the next claim
// of the process to release. One that was answered has released all before it.
func (l *Ledger) noteClaim(process string, token int64, answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if answered {
		delete(l.unanswered, process)
	} else {
		l.unanswered[process] = append(l.unanswered[process], token)
	}
}

func scanTask(row pgx.CollectableRow) (store.Task, error) {
	var task store.Task
	var transaction *string
	var verified *time.Time
	err := row.Scan(&task.UserID, &task.Subject, &task.State, &task.LastClass, &task.Settled, &task.Attempts, &task.DueReason, &transaction, &verified,
		&task.NewestTransaction, &task.Unlisted, &task.HasImages, &task.Accepted, &task.LeaseToken)
	if transaction != nil {
		task.TransactionID = *transaction
	}
	task.VerifiedAt = orZero(verified)
	return task, err
}
