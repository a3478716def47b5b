package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

const (
	syncPoll = time.Second
	// syncLockWait is how long a pass waits at a time for the passes of other runs,
	// and mergeLockWait for users on whom somebody else works. The first is longer
	// than deadlock_timeout's default, after which a vacuum in the way gives up.
	syncLockWait  = "3s"
	mergeLockWait = "60s"
	// passStatement bounds each statement of a pass on the servers, whatever the
	// roles' own statement_timeout; passTimeout is when a pass that the servers did
	// not end is given up.
	passStatement = time.Hour
	passTimeout   = 2*passStatement + time.Minute
	// largeChange is the number of changed rows from which the planner needs
	// new statistics at once.
	largeChange = 10_000
)

// Users is the user query together with the ledger's list of users.
type Users struct {
	source *Source
	ledger *Ledger
}

// NewUsers makes Users of its two databases. Both stay the caller's.
func NewUsers(source *Source, ledger *Ledger) *Users {
	return &Users{source: source, ledger: ledger}
}

// Lookup reads the rows of these users. A user who is gone is not in the map.
func (u *Users) Lookup(ctx context.Context, ids []string) (map[string]store.User, error) {
	return u.source.Lookup(ctx, ids)
}

// Sync brings the ledger's users up to date with the user query, once for a
// run, and then chooses the users of a backfill. When another live process of
// the run is at it, Sync waits and returns that one's result; from a dead one it
// takes over. One that fails leaves nothing changed.
//
// Errors: store.ErrSource when the query or its rows cannot be used,
// store.ErrSelection when a backfill names users whom the query does not have,
// store.ErrProcessLost, store.ErrLocked while the pass of another run lasts,
// store.ErrUnavailable, store.ErrDenied.
func (u *Users) Sync(ctx context.Context, request store.SyncRequest) (store.SyncResult, error) {
	for {
		result, turn, err := u.ledger.takeSync(ctx, request)
		switch {
		case err != nil, turn == syncDone:
			return result, err
		case turn == syncMine:
			result, done, err := u.pass(ctx, request)
			if err != nil {
				u.ledger.giveSyncBack(ctx, request)
				return store.SyncResult{}, err
			}
			if done {
				return result, nil
			}
		}
		if err := pause(ctx, syncPoll/2+rand.N(syncPoll/2)); err != nil {
			return store.SyncResult{}, err
		}
	}
}

// syncTurn says who reads the user query for a run.
type syncTurn int

const (
	syncTheirs syncTurn = iota
	syncMine
	syncDone
)

func (l *Ledger) takeSync(ctx context.Context, request store.SyncRequest) (store.SyncResult, syncTurn, error) {
	const operation = "take turn to read users"
	var batch pgx.Batch
	var alive, mine, done bool
	var result store.SyncResult
	batch.Queue(`
		UPDATE archive.runs AS r SET sync_process = $1
		WHERE r.run_id = $2 AND r.synced_at IS NULL AND r.sync_process IS DISTINCT FROM $1
		  AND $1 IN (`+liveProcesses+`)
		  AND (r.sync_process IS NULL OR `+processGone+`r.sync_process))`,
		request.Process, request.RunID)
	batch.Queue(`
		SELECT $1 IN (`+liveProcesses+`), r.sync_process IS NOT DISTINCT FROM $1, r.synced_at IS NOT NULL,
		       r.sync_users, r.sync_new, r.sync_changed, r.sync_returned, r.sync_left, r.sync_left_held, r.sync_undated
		FROM archive.runs AS r WHERE r.run_id = $2`,
		request.Process, request.RunID).QueryRow(func(row pgx.Row) error {
		return row.Scan(&alive, &mine, &done,
			&result.Users, &result.New, &result.Changed, &result.Returned, &result.Left, &result.LeftHeld, &result.Undated)
	})
	err := l.pool.SendBatch(ctx, &batch).Close()
	switch {
	case noRow(err):
		return store.SyncResult{}, syncTheirs, l.failed(operation, errNoRun)
	case err != nil:
		return store.SyncResult{}, syncTheirs, l.failed(operation, err)
	case done:
		return result, syncDone, nil
	case !alive:
		return store.SyncResult{}, syncTheirs, l.failed(operation, store.ErrProcessLost)
	case mine:
		return store.SyncResult{}, syncMine, nil
	}
	return store.SyncResult{}, syncTheirs, nil
}

// giveSyncBack lets others of the run try at once after a failure. When it
// fails too, they take over once this process is gone.
func (l *Ledger) giveSyncBack(ctx context.Context, request store.SyncRequest) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	defer cancel()
	_, _ = l.pool.Exec(ctx, `
		UPDATE archive.runs SET sync_process = NULL
		WHERE run_id = $1 AND sync_process = $2 AND synced_at IS NULL`, request.RunID, request.Process)
}

// pass reads the user query once and merges it, all in one transaction of the
// ledger. It is not done when another process took over.
func (u *Users) pass(ctx context.Context, request store.SyncRequest) (result store.SyncResult, done bool, err error) {
	err = u.ledger.within(ctx, passTimeout, func(ctx context.Context) error {
		return u.ledger.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) (err error) {
			result, err = u.passIn(ctx, tx, request)
			return err
		})
	})
	if errors.Is(err, errTakenOver) {
		return store.SyncResult{}, false, nil
	}
	return result, err == nil, u.ledger.failed("merge users", err)
}

func (u *Users) passIn(ctx context.Context, tx pgx.Tx, request store.SyncRequest) (result store.SyncResult, err error) {
	// Passes of different runs follow one another: an older picture of the
	// users must not be merged after a newer one. This lock lets claims and
	// commits through.
	if _, err := tx.Exec(ctx, fmt.Sprintf(`
		SET LOCAL statement_timeout = %d;
		SET LOCAL lock_timeout = '%s';
		LOCK TABLE archive.subjects IN SHARE UPDATE EXCLUSIVE MODE;
		SET LOCAL lock_timeout = '%s'`, passStatement.Milliseconds(), syncLockWait, mergeLockWait)); err != nil {
		return result, err
	}
	rows, undated, err := u.stage(ctx, tx)
	if err != nil {
		return result, err
	}
	if result, err = compare(ctx, tx, rows, request.AllowPersonalIDs, request.AcceptLeft); err != nil {
		return result, err
	}
	result.Undated = undated
	if err := merge(ctx, tx, request.Key, result); err != nil {
		return result, err
	}
	run, err := readRun(ctx, tx, request.RunID)
	if err != nil {
		return result, err
	}
	if err := chooseUsers(ctx, tx, run); err != nil {
		return result, err
	}
	return result, finishSync(ctx, tx, request, result)
}

// finishSync notes the result, if the pass is still this process's.
func finishSync(ctx context.Context, tx pgx.Tx, request store.SyncRequest, result store.SyncResult) error {
	tag, err := tx.Exec(ctx, `
		UPDATE archive.runs
		SET synced_at = clock_timestamp(), sync_users = $3, sync_new = $4, sync_changed = $5, sync_returned = $6,
		    sync_left = $7, sync_left_held = $8, sync_undated = $9
		WHERE run_id = $1 AND sync_process = $2 AND synced_at IS NULL`,
		request.RunID, request.Process, result.Users, result.New, result.Changed, result.Returned, result.Left, result.LeftHeld, result.Undated)
	if err == nil && tag.RowsAffected() == 0 {
		err = errTakenOver
	}
	return err
}

var errTakenOver = fmt.Errorf("another process reads the users")

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
