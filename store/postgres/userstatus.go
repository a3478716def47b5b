package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// UserStatus says where one user stands. A user whom the ledger does not know is
// store.ErrNotFound.
func (l *Ledger) UserStatus(ctx context.Context, userID string) (store.UserStatus, error) {
	var user store.UserStatus
	var batch pgx.Batch
	batch.Queue(`
		SELECT s.subject, s.state, s.last_class, s.first_seen_at, s.verified_at, s.left_at, s.archived_at, s.unlisted_at, s.attempts,
		       s.next_due_at, s.due_reason, CASE WHEN s.lease_process IN (`+liveProcesses+`) THEN s.lease_process ELSE '' END
		FROM archive.subjects AS s WHERE s.user_id = $1`, userID).QueryRow(func(row pgx.Row) error {
		var verified, left, archived, unlisted, due *time.Time
		err := row.Scan(&user.Subject, &user.State, &user.LastClass, &user.FirstSeenAt, &verified, &left, &archived, &unlisted, &user.Attempts,
			&due, &user.DueReason, &user.LeaseProcess)
		user.VerifiedAt, user.LeftAt, user.ArchivedAt = orZero(verified), orZero(left), orZero(archived)
		user.UnlistedAt, user.NextDueAt = orZero(unlisted), orZero(due)
		return err
	})
	queueHolder(&batch, userID, &user)
	queueVerifications(&batch, userID, &user)
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

// queueHolder reads who holds the newest verification of a user who failed because
// it is somebody else's. A verification that the vendor gives no id is held by its
// first image, which the ledger does not know of the user who asked in vain.
func queueHolder(batch *pgx.Batch, userID string, user *store.UserStatus) {
	batch.Queue(`
		SELECT h.subject, coalesce(h.user_id, ''), h.left_at
		FROM archive.subjects AS s
		JOIN archive.transactions AS t ON t.transaction_id = s.newest_transaction
		JOIN archive.subjects AS h ON h.subject = t.subject
		WHERE s.user_id = $1 AND s.state = 'failed' AND h.subject <> s.subject`, userID).Query(func(rows pgx.Rows) error {
		var holder store.TransactionHolder
		var left *time.Time
		_, err := pgx.ForEachRow(rows, []any{&holder.Subject, &holder.UserID, &left}, func() error {
			holder.LeftAt = orZero(left)
			user.Holder = &holder
			return nil
		})
		return err
	})
}

// queueVerifications reads what became of each verification of the user.
func queueVerifications(batch *pgx.Batch, userID string, user *store.UserStatus) {
	batch.Queue(`
		SELECT v.transaction_id, v.transaction_id = v.newest_transaction,
		       (SELECT count(*) FROM archive.images AS i
		        WHERE i.subject = v.subject AND i.transaction_id = v.transaction_id AND i.state = 'stored'),
		       (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'state', c.state, 'class', c.class) ORDER BY array_position($2::text[], c.kind)), '[]')
		        FROM archive.current_images AS c
		        WHERE c.subject = v.subject AND c.transaction_id = v.transaction_id AND c.state IN ('gone', 'rejected', 'failed')),
		       coalesce(r.key, ''), coalesce(r.sequence, 0), r.archived_at, o.ended_at, coalesce(o.class, '')
		FROM (
			SELECT s.subject, s.newest_transaction, x.transaction_id
			FROM archive.subjects AS s
			CROSS JOIN LATERAL (
				SELECT y.transaction_id FROM archive.records AS y WHERE y.subject = s.subject
				UNION
				SELECT y.transaction_id FROM archive.outcomes AS y
				WHERE y.subject = s.subject AND y.transaction_id <> '' AND y.outcome NOT IN ('no_images', 'not_found')
			) AS x
			WHERE s.user_id = $1
		) AS v
		LEFT JOIN LATERAL (
			SELECT y.key, y.sequence, y.archived_at FROM archive.records AS y
			WHERE y.subject = v.subject AND y.transaction_id = v.transaction_id
			ORDER BY y.sequence DESC LIMIT 1
		) AS r ON true
		LEFT JOIN LATERAL (
			SELECT y.ended_at, y.class FROM archive.outcomes AS y
			WHERE y.subject = v.subject AND y.transaction_id = v.transaction_id
			ORDER BY y.ended_at DESC LIMIT 1
		) AS o ON true
		ORDER BY v.transaction_id = v.newest_transaction DESC, coalesce(o.ended_at, r.archived_at) DESC, v.transaction_id
		LIMIT $3`, userID, store.Kinds[:], outcomesShown).Query(func(rows pgx.Rows) (err error) {
		user.Verifications, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (store.VerificationLine, error) {
			var line store.VerificationLine
			var recorded, tried *time.Time
			err := row.Scan(&line.Transaction, &line.Newest, &line.Stored, &line.Missing, &line.Record.Key, &line.Record.Sequence, &recorded, &tried, &line.Class)
			line.Record.Transaction, line.Record.ArchivedAt, line.TriedAt = line.Transaction, orZero(recorded), orZero(tried)
			return line, err
		})
		return err
	})
}
