package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// How many lines of each kind a status has at most.
const (
	runsShown     = 10
	outcomesShown = 20
)

// Status is where the archive stands now, all of it of one moment.
func (l *Ledger) Status(ctx context.Context) (store.Status, error) {
	status := store.Status{Users: make(map[store.State]int64)}
	var batch pgx.Batch
	batch.Queue(`SELECT now()`).QueryRow(func(row pgx.Row) error { return row.Scan(&status.At) })
	queueCoverage(&batch, status.Users, &status.UsersTotal, &status.UsersLeft, &status.OldestPendingAt)
	batch.Queue(`
		SELECT f.class, f.users, f.oldest_at
		FROM archive.failures AS f
		ORDER BY f.users DESC, f.class`).Query(func(rows pgx.Rows) (err error) {
		status.Failures, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (store.FailureLine, error) {
			var line store.FailureLine
			err := row.Scan(&line.Class, &line.Users, &line.OldestAt)
			line.OldestAt = line.OldestAt.UTC()
			return line, err
		})
		return err
	})
	batch.Queue(acceptedCountSQL).QueryRow(func(row pgx.Row) error { return row.Scan(&status.UsersAccepted) })
	batch.Queue(logStateSQL).QueryRow(func(row pgx.Row) (err error) {
		status.Log, status.SealedAt, err = scanLogState(row)
		return err
	})
	batch.Queue(`
		SELECT o.run_id, o.kind, o.status, o.started_at, o.ended_at, r.selection, r.tool_version, r.config_sha256,
		       o.archived, o.unchanged, o.partial, o.no_images, o.not_found, o.failed, o.images, o.bytes, o.requests
		FROM archive.run_overview AS o
		JOIN archive.runs AS r ON r.run_id = o.run_id
		ORDER BY r.started_at DESC
		LIMIT $1`, runsShown).Query(func(rows pgx.Rows) (err error) {
		status.Runs, err = pgx.CollectRows(rows, scanRunLine)
		return err
	})
	err := l.inTx(ctx, readSnapshot, func(tx pgx.Tx) error {
		return tx.SendBatch(ctx, &batch).Close()
	})
	return status, l.failed("read status", err)
}

func scanRunLine(row pgx.CollectableRow) (store.RunLine, error) {
	line := store.RunLine{Outcomes: make(map[store.Outcome]int64)}
	var ended *time.Time
	var selection []byte
	counts := make([]int64, len(store.Outcomes))
	into := []any{&line.Run.ID, &line.Run.Kind, &line.Run.Status, &line.Run.StartedAt, &ended, &selection, &line.Run.ToolVersion, &line.Run.ConfigSHA256}
	for n := range counts {
		into = append(into, &counts[n])
	}
	if err := row.Scan(append(into, &line.Images, &line.Bytes, &line.Requests)...); err != nil {
		return line, err
	}
	for n, outcome := range store.Outcomes {
		if counts[n] > 0 {
			line.Outcomes[outcome] = counts[n]
		}
	}
	line.Run.EndedAt = orZero(ended)
	return line, json.Unmarshal(selection, &line.Run.Selection)
}

// UserStatus says where one user stands. A user whom the ledger does not know is
// store.ErrNotFound.
func (l *Ledger) UserStatus(ctx context.Context, userID string) (store.UserStatus, error) {
	var user store.UserStatus
	var batch pgx.Batch
	batch.Queue(`
		SELECT s.subject, s.state, s.last_class, s.first_seen_at, s.verified_at, s.left_at, s.archived_at, s.attempts,
		       s.next_due_at, s.due_reason, CASE WHEN s.lease_process IN (`+liveProcesses+`) THEN s.lease_process ELSE '' END
		FROM archive.subjects AS s WHERE s.user_id = $1`, userID).QueryRow(func(row pgx.Row) error {
		var verified, left, archived, due *time.Time
		err := row.Scan(&user.Subject, &user.State, &user.LastClass, &user.FirstSeenAt, &verified, &left, &archived, &user.Attempts,
			&due, &user.DueReason, &user.LeaseProcess)
		user.VerifiedAt, user.LeftAt, user.ArchivedAt, user.NextDueAt = orZero(verified), orZero(left), orZero(archived), orZero(due)
		return err
	})
	batch.Queue(`
		SELECT o.run_id, o.outcome, o.class, o.transaction_id, o.requests, o.ended_at
		FROM archive.outcomes AS o JOIN archive.subjects AS s ON s.subject = o.subject
		WHERE s.user_id = $1
		ORDER BY o.ended_at DESC
		LIMIT $2`, userID, outcomesShown).Query(func(rows pgx.Rows) (err error) {
		user.Outcomes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (store.OutcomeLine, error) {
			var line store.OutcomeLine
			err := row.Scan(&line.RunID, &line.Outcome, &line.Class, &line.Transaction, &line.Requests, &line.EndedAt)
			return line, err
		})
		return err
	})
	batch.Queue(`
		SELECT r.transaction_id, r.sequence, r.key, r.version_id, r.sha256, r.archived_at
		FROM archive.records AS r JOIN archive.subjects AS s ON s.subject = r.subject
		WHERE s.user_id = $1
		ORDER BY r.archived_at DESC, r.sequence DESC
		LIMIT $2`, userID, outcomesShown).Query(func(rows pgx.Rows) (err error) {
		user.Records, err = pgx.CollectRows(rows, scanRecordRef)
		return err
	})
	batch.Queue(acceptedSQL+` WHERE a.user_id = $1`, userID).Query(func(rows pgx.Rows) error {
		standing, err := pgx.CollectRows(rows, scanStanding)
		if err == nil && len(standing) > 0 {
			user.Accepted = &standing[0].Exception
		}
		return err
	})
	err := l.pool.SendBatch(ctx, &batch).Close()
	if noRow(err) {
		err = store.ErrNotFound
	}
	return user, l.failed("read status of a user", err)
}
