package postgres

import (
	"context"
	"math/rand/v2"
	"strings"
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
// now when the result is empty, also because the run is being closed.
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
	batch.Queue(gateSQL(limit > 0), l.takeover.Seconds(), process, run.ID).QueryRow(func(row pgx.Row) error { return row.Scan(&alive) })
	if lost := l.lostClaims(process); len(lost) > 0 {
		batch.Queue(`
			UPDATE archive.subjects SET lease_process = NULL
			WHERE lease_process = $1 AND lease_token = ANY($2)`, process, lost)
	}
	if !run.Selection.Chosen() {
		batch.Queue(promoteSQL, promoted)
	}
	var tasks []store.Task
	batch.Queue(claimSQL(run.Selection, order), claimArgs(l.takeover, process, run, n, token)...).Query(func(rows pgx.Rows) (err error) {
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

const promoteSQL = `
	UPDATE archive.subjects SET ready = true
	WHERE subject = ANY (ARRAY(
		SELECT s.subject FROM archive.subjects AS s
		WHERE NOT s.ready AND s.left_at IS NULL AND s.user_id IS NOT NULL AND s.next_due_at IS NOT NULL AND s.next_due_at <= now()
		ORDER BY s.next_due_at
		LIMIT $1
		FOR UPDATE SKIP LOCKED))`

// Conditions of a claim; parameters as in claimArgs.
const (
	// openToClaim does not depend on the row and is judged once.
	openToClaim = `$2 IN (` + liveProcesses + `)
		AND EXISTS (
			SELECT 1 FROM archive.runs AS r
			WHERE r.run_id = $3 AND r.status = 'open'
			  AND (r.close_process IS NULL OR ` + processGone + `r.close_process)))`
	leaseFree = `(s.lease_process IS NULL OR ` + processGone + `s.lease_process))`
	// notDone looks up one outcome per candidate; written as a scalar so that
	// it never becomes a join over all outcomes of the run. The first half
	// also holds for a row that another process changed a moment ago.
	notDone = `s.last_run_id IS DISTINCT FROM $3
		AND (SELECT 1 FROM archive.outcomes AS o WHERE o.run_id = $3 AND o.subject = s.subject) IS NULL`
	dueNow     = `s.ready AND s.left_at IS NULL AND s.user_id IS NOT NULL`
	newToRun   = `(SELECT 1 FROM archive.run_users AS ru WHERE ru.run_id = $3 AND ru.user_id = s.user_id) IS NULL`
	claimable  = openToClaim + ` AND ` + leaseFree + ` AND ` + notDone
	takenFirst = ` LIMIT $4 FOR UPDATE OF s SKIP LOCKED`
	newest     = ` ORDER BY coalesce(s.verified_at, s.first_seen_at) DESC, s.subject`
)

func claimArgs(takeover time.Duration, process string, run store.Run, n int, token int64) []any {
	args := []any{takeover.Seconds(), process, run.ID, n, token}
	if run.Selection.Limit > 0 {
		args = append(args, run.Selection.Limit)
	}
	return args
}

// claimSQL picks users and leases them. What it picks from holds only users who
// are not done, in order, so that it costs the same however many there are.
//
// LIMIT $4 stands inside each pick, where the planner can see the number; what
// is picked beyond the room that is left is only locked until the end of the
// statement.
func claimSQL(selection store.Selection, order store.ClaimOrder) string {
	limited := selection.Limit > 0
	var sql strings.Builder
	sql.WriteString("WITH ")
	room := `$4`
	if limited {
		// Users the run had claimed before come first and need no new room.
		sql.WriteString(`again AS MATERIALIZED (
			SELECT s.subject, s.user_id FROM archive.run_users AS ru JOIN archive.subjects AS s ON s.user_id = ru.user_id
			WHERE ru.run_id = $3 AND ru.done_at IS NULL AND ru.claimed_at IS NOT NULL AND ` + claimable + `
			ORDER BY ru.place` + takenFirst + `), `)
		room = `(SELECT greatest(0, least($4 - (SELECT count(*) FROM again), $6 - r.claimed)) FROM archive.runs AS r WHERE r.run_id = $3)`
	}

	switch {
	case selection.Chosen():
		unclaimed := ""
		if limited {
			unclaimed = ` AND ru.claimed_at IS NULL`
		}
		sql.WriteString(`fresh AS MATERIALIZED (SELECT x.subject, x.user_id FROM (
			SELECT s.subject, s.user_id FROM archive.run_users AS ru JOIN archive.subjects AS s ON s.user_id = ru.user_id
			WHERE ru.run_id = $3 AND ru.done_at IS NULL` + unclaimed + `
			  AND (ru.given IS NOT NULL OR s.left_at IS NULL) AND ` + claimable + `
			ORDER BY ru.place` + takenFirst + `) AS x LIMIT ` + room + `)`)
	default:
		due := dueNow + ` AND ` + claimable
		if limited {
			due += ` AND ` + newToRun
		}
		longest := ``
		if order == store.LongestDue {
			sql.WriteString(`longest AS MATERIALIZED (SELECT s.subject, s.user_id FROM archive.subjects AS s
				WHERE s.state <> 'pending' AND ` + due + ` ORDER BY s.next_due_at` + takenFirst + `), `)
			longest = `SELECT l.subject, l.user_id FROM longest AS l UNION ALL `
			due += ` AND s.subject <> ALL (ARRAY(SELECT l.subject FROM longest AS l))`
		}
		sql.WriteString(`fresh AS MATERIALIZED (SELECT x.subject, x.user_id FROM (` + longest + `SELECT n.subject, n.user_id FROM (
			SELECT s.subject, s.user_id FROM archive.subjects AS s WHERE ` + due + newest + takenFirst + `) AS n) AS x LIMIT ` + room + `)`)
	}

	picked := `SELECT f.subject FROM fresh AS f`
	if limited {
		picked += ` UNION ALL SELECT a.subject FROM again AS a`
		sql.WriteString(`, counted AS (UPDATE archive.runs SET claimed = claimed + (SELECT count(*) FROM fresh) WHERE run_id = $3)
		, noted AS (
			INSERT INTO archive.run_users (run_id, user_id, place, claimed_at)
			SELECT $3, f.user_id, r.claimed, now() FROM fresh AS f JOIN archive.runs AS r ON r.run_id = $3
			ON CONFLICT (run_id, user_id) DO UPDATE SET claimed_at = now())`)
	}
	sql.WriteString(`, leased AS (
		UPDATE archive.subjects AS s
		SET lease_process = $2, lease_token = $5, lease_run = $3, lease_version = s.row_version
		WHERE s.subject = ANY (ARRAY(` + picked + `))
		RETURNING s.user_id, s.subject, s.state, s.attempts, s.transaction_id, s.verified_at, s.lease_token, s.first_seen_at, s.next_due_at)
		SELECT s.user_id, s.subject, s.state, s.attempts, s.transaction_id::text, s.verified_at, s.lease_token FROM leased AS s`)
	if order == store.LongestDue && !selection.Chosen() {
		sql.WriteString(` ORDER BY s.state = 'pending', CASE WHEN s.state <> 'pending' THEN s.next_due_at END, coalesce(s.verified_at, s.first_seen_at) DESC, s.subject`)
	} else {
		sql.WriteString(newest)
	}
	return sql.String()
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
