package postgres

import "vlens-archiver/store"

// Who may be claimed: the one place that says it, for Claim, Remaining and Totals.
// In all of it s is the user's row in archive.subjects, and @run the run.

// due says that the user's time has come, that the source still has the user, and
// that the run has not made its one attempt at the user.
//
// The look-up of the outcome is no NOT EXISTS, which the planner may turn into a
// join over all outcomes of the run. The last run is compared beside it because
// it is also right for a row that another process changed a moment ago.
const due = `s.next_due_at <= now() AND s.left_at IS NULL AND s.user_id IS NOT NULL
	AND s.last_run_id IS DISTINCT FROM @run
	AND (SELECT 1 FROM archive.outcomes AS o WHERE o.run_id = @run AND o.subject = s.subject) IS NULL`

// Users who are due are found by two indexes, each in the order in which they are
// claimed: those due at once by how new they are (subjects_due_at_once), and those
// who were tried before by when they became due (subjects_due_in_time).
const (
	dueAtOnce = `s.due_reason IN ('new', 'changed', 'returned') AND ` + due
	dueInTime = `s.due_reason IN ('retry', 'recheck') AND ` + due
)

// A selection's users need not be due. chosenRow picks their rows ru from
// archive.run_users, and chosenUser says that the run still wants the user: one
// who has left only if chosen by id.
const (
	chosenRow  = `ru.run_id = @run AND ru.done_at IS NULL`
	chosenUser = `(ru.given IS NOT NULL OR s.left_at IS NULL) AND s.last_run_id IS DISTINCT FROM @run`
)

// runOpen says that users may be claimed in the run: nobody has begun to close it.
const runOpen = `EXISTS (
	SELECT 1 FROM archive.runs AS r WHERE r.run_id = @run AND r.status = 'open' AND r.close_process IS NULL)`

// unclaimed says that the run may claim the user now, if it wants the user.
var unclaimed = runOpen + ` AND (s.lease_process IS NULL OR ` + processGone + `s.lease_process))`

// wantedSQL is the condition that the run wants the user, whoever works on the
// user now and whether or not the run is still open.
func wantedSQL(selection store.Selection) string {
	if selection.Chosen() {
		return `EXISTS (SELECT 1 FROM archive.run_users AS ru WHERE ru.user_id = s.user_id AND ` + chosenRow + ` AND ` + chosenUser + `)`
	}
	return due
}

// claimDueSQL claims users who are due: the newest first, or with @longest_first
// those who were tried before and have waited longest.
var claimDueSQL = `
WITH at_once AS MATERIALIZED (
	SELECT s.subject, coalesce(s.verified_at, s.first_seen_at) AS newness, NULL::timestamptz AS due_since
	FROM archive.subjects AS s
	WHERE ` + dueAtOnce + ` AND ` + unclaimed + `
	ORDER BY coalesce(s.verified_at, s.first_seen_at) DESC, s.subject
	LIMIT @n FOR UPDATE OF s SKIP LOCKED
), in_time AS MATERIALIZED (
	SELECT s.subject, coalesce(s.verified_at, s.first_seen_at) AS newness, s.next_due_at AS due_since
	FROM archive.subjects AS s
	WHERE ` + dueInTime + ` AND ` + unclaimed + `
	ORDER BY s.next_due_at
	LIMIT @n FOR UPDATE OF s SKIP LOCKED
), picked AS MATERIALIZED (
	SELECT x.subject, row_number() OVER (ORDER BY CASE WHEN @longest_first THEN x.due_since END, x.newness DESC, x.subject) AS place
	FROM (TABLE at_once UNION ALL TABLE in_time) AS x
	ORDER BY place
	LIMIT @n
)` + leaseSQL

// claimChosenSQL claims users of a selection in its order.
var claimChosenSQL = `
WITH picked AS MATERIALIZED (
	SELECT s.subject, ru.place
	FROM archive.run_users AS ru JOIN archive.subjects AS s ON s.user_id = ru.user_id
	WHERE ` + chosenRow + ` AND ` + chosenUser + ` AND ` + unclaimed + `
	ORDER BY ru.place
	LIMIT @n FOR UPDATE OF s SKIP LOCKED
)` + leaseSQL

// leaseSQL leases the users picked to the process, if it lives.
var leaseSQL = `, leased AS (
	UPDATE archive.subjects AS s
	SET lease_process = @process, lease_token = @token, lease_run = @run, lease_version = s.row_version
	WHERE s.subject = ANY (ARRAY(SELECT p.subject FROM picked AS p)) AND @process IN (` + liveProcesses + `)
	RETURNING s.user_id, s.subject, s.state, s.last_class, s.settled, s.attempts, s.due_reason, s.transaction_id, s.verified_at,
	          s.newest_transaction, s.unlisted_at, s.lease_token
)
SELECT s.user_id, s.subject, s.state, s.last_class, s.settled, s.attempts, s.due_reason, s.transaction_id::text, s.verified_at,
       s.newest_transaction, s.unlisted_at IS NOT NULL,
       (SELECT 1 FROM archive.images AS i WHERE i.subject = s.subject AND i.state = 'stored' LIMIT 1) IS NOT NULL,
       (SELECT 1 FROM archive.accepted AS a WHERE a.subject = s.subject) IS NOT NULL, s.lease_token
FROM leased AS s JOIN picked AS p ON p.subject = s.subject
ORDER BY p.place`

// countDueSQL counts the users due whom the run may claim now, up to @most.
var countDueSQL = `
SELECT least(@most, count(*)) FROM (
	(SELECT 1 FROM archive.subjects AS s WHERE ` + dueAtOnce + ` AND ` + unclaimed + ` LIMIT @most)
	UNION ALL
	(SELECT 1 FROM archive.subjects AS s WHERE ` + dueInTime + ` AND ` + unclaimed + ` LIMIT @most)
) AS x`

// countChosenSQL does so for a selection. OFFSET 0 makes the planner go from the
// selection to its users, and not read all users.
var countChosenSQL = `
SELECT count(*) FROM (
	SELECT 1 FROM archive.run_users AS ru
	CROSS JOIN LATERAL (
		SELECT 1 FROM archive.subjects AS s WHERE s.user_id = ru.user_id AND ` + chosenUser + ` AND ` + unclaimed + ` OFFSET 0
	) AS s
	WHERE ` + chosenRow + `
	LIMIT @most
) AS x`
