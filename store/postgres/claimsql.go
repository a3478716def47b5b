package postgres

import (
	"strings"

	"vlens-archiver/store"
)

// Who may be claimed, also for those who count what remains. $1 is the takeover
// time in seconds and $3 the run.
const (
	// runOpen does not depend on the row and is judged once.
	runOpen = `EXISTS (
		SELECT 1 FROM archive.runs AS r
		WHERE r.run_id = $3 AND r.status = 'open' AND r.close_process IS NULL)`
	leaseFree = `(s.lease_process IS NULL OR ` + processGone + `s.lease_process))`
	// notDone looks up one outcome per candidate; written as a scalar so that
	// it never becomes a join over all outcomes of the run. The first half
	// also holds for a row that another process changed a moment ago.
	notDone = `s.last_run_id IS DISTINCT FROM $3
		AND (SELECT 1 FROM archive.outcomes AS o WHERE o.run_id = $3 AND o.subject = s.subject) IS NULL`
	free = runOpen + ` AND ` + leaseFree + ` AND ` + notDone

	// Of those who are due, all are ready but the ones whose time has just come.
	dueNow  = `s.ready AND s.left_at IS NULL AND s.user_id IS NOT NULL`
	comeDue = `NOT s.ready AND s.left_at IS NULL AND s.user_id IS NOT NULL AND s.next_due_at IS NOT NULL AND s.next_due_at <= now()`
	// stillChosen leaves out who has left, unless the user was chosen by id.
	stillChosen = `(ru.given IS NOT NULL OR s.left_at IS NULL)`
	newToRun    = `(SELECT 1 FROM archive.run_users AS ru WHERE ru.run_id = $3 AND ru.user_id = s.user_id) IS NULL`
)

const promoteSQL = `
	UPDATE archive.subjects SET ready = true
	WHERE subject = ANY (ARRAY(
		SELECT s.subject FROM archive.subjects AS s
		WHERE ` + comeDue + `
		ORDER BY s.next_due_at
		LIMIT $1
		FOR UPDATE SKIP LOCKED))`

// Parts of a claim; parameters as in claimArgs.
const (
	claimable  = `$2 IN (` + liveProcesses + `) AND ` + free
	takenFirst = ` LIMIT $4 FOR UPDATE OF s SKIP LOCKED`
	newest     = ` ORDER BY coalesce(s.verified_at, s.first_seen_at) DESC, s.subject`
	// longestFirst is the order of the users whom longestSQL takes, before the others.
	longestFirst = ` ORDER BY s.state = 'pending', CASE WHEN s.state <> 'pending' THEN s.next_due_at END, coalesce(s.verified_at, s.first_seen_at) DESC, s.subject`
	fromChosen   = `
		SELECT s.subject, s.user_id FROM archive.run_users AS ru JOIN archive.subjects AS s ON s.user_id = ru.user_id
		WHERE ru.run_id = $3 AND ru.done_at IS NULL`

	// againSQL takes users whom a run with a limit had claimed before: they come
	// first and need no new room.
	againSQL = `again AS MATERIALIZED (` + fromChosen + ` AND ru.claimed_at IS NOT NULL AND ` + claimable + `
		ORDER BY ru.place` + takenFirst + `)`
	roomLeft = `(SELECT greatest(0, least($4 - (SELECT count(*) FROM again), $6 - r.claimed)) FROM archive.runs AS r WHERE r.run_id = $3)`
	// countedSQL notes for the limit whom the run has claimed.
	countedSQL = `counted AS (UPDATE archive.runs SET claimed = claimed + (SELECT count(*) FROM fresh) WHERE run_id = $3),
		noted AS (
			INSERT INTO archive.run_users (run_id, user_id, place, claimed_at)
			SELECT $3, f.user_id, r.claimed, now() FROM fresh AS f JOIN archive.runs AS r ON r.run_id = $3
			ON CONFLICT (run_id, user_id) DO UPDATE SET claimed_at = now())`
)

// claimSQL picks users and leases them. What it picks from holds only users who
// are not done, in order, so that it costs the same however many there are.
//
// LIMIT $4 stands inside each pick, where the planner can see the number; what
// is picked beyond the room that is left is only locked until the end of the
// statement.
func claimSQL(selection store.Selection, order store.ClaimOrder) string {
	limited := selection.Limit > 0
	var with []string
	picked, room, sorted := `SELECT f.subject FROM fresh AS f`, `$4`, newest
	if limited {
		with = append(with, againSQL)
		picked += ` UNION ALL SELECT a.subject FROM again AS a`
		room = roomLeft
	}
	switch {
	case selection.Chosen():
		with = append(with, freshChosenSQL(limited, room))
	case order == store.LongestDue:
		with = append(with, longestSQL(limited), freshDueSQL(limited, true, room))
		sorted = longestFirst
	default:
		with = append(with, freshDueSQL(limited, false, room))
	}
	if limited {
		with = append(with, countedSQL)
	}
	with = append(with, leasedSQL(picked))
	return `WITH ` + strings.Join(with, `, `) + `
		SELECT s.user_id, s.subject, s.state, s.attempts, s.transaction_id::text, s.verified_at, s.lease_token FROM leased AS s` + sorted
}

// freshChosenSQL takes from those whom the selection chose, in its order.
func freshChosenSQL(limited bool, room string) string {
	unclaimed := ``
	if limited {
		unclaimed = ` AND ru.claimed_at IS NULL`
	}
	return `fresh AS MATERIALIZED (SELECT x.subject, x.user_id FROM (` + fromChosen + unclaimed + ` AND ` + stillChosen + ` AND ` + claimable + `
		ORDER BY ru.place` + takenFirst + `) AS x LIMIT ` + room + `)`
}

// longestSQL takes the retries and rechecks that have waited longest.
func longestSQL(limited bool) string {
	return `longest AS MATERIALIZED (SELECT s.subject, s.user_id FROM archive.subjects AS s
		WHERE s.state <> 'pending' AND ` + dueSubject(limited) + ` ORDER BY s.next_due_at` + takenFirst + `)`
}

// freshDueSQL takes from those who are due the newest, behind the longest due if
// these are asked for.
func freshDueSQL(limited, behindLongest bool, room string) string {
	first, others := ``, ``
	if behindLongest {
		first = `SELECT l.subject, l.user_id FROM longest AS l UNION ALL `
		others = ` AND s.subject <> ALL (ARRAY(SELECT l.subject FROM longest AS l))`
	}
	return `fresh AS MATERIALIZED (SELECT x.subject, x.user_id FROM (` + first + `SELECT n.subject, n.user_id FROM (
		SELECT s.subject, s.user_id FROM archive.subjects AS s WHERE ` + dueSubject(limited) + others + newest + takenFirst + `) AS n) AS x LIMIT ` + room + `)`
}

func dueSubject(limited bool) string {
	if limited {
		return dueNow + ` AND ` + claimable + ` AND ` + newToRun
	}
	return dueNow + ` AND ` + claimable
}

func leasedSQL(picked string) string {
	return `leased AS (
		UPDATE archive.subjects AS s
		SET lease_process = $2, lease_token = $5, lease_run = $3, lease_version = s.row_version
		WHERE s.subject = ANY (ARRAY(` + picked + `))
		RETURNING s.user_id, s.subject, s.state, s.attempts, s.transaction_id, s.verified_at, s.lease_token, s.first_seen_at, s.next_due_at)`
}
