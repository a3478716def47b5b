package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// Figures are what those who operate the archive watch.
func (l *Ledger) Figures(ctx context.Context) (store.Figures, error) {
	figures := store.Figures{
		Users:              make(map[store.State]int64),
		Failures:           make(map[store.Class]int64),
		OldestUnarchivedAt: make(map[store.State]time.Time),
		Verified:           store.VerifiedFigures{Findings: make(map[string]int64)},
	}
	var batch pgx.Batch
	batch.Queue(`SELECT now()`).QueryRow(func(row pgx.Row) error { return row.Scan(&figures.At) })
	queueWaiting(&batch, &figures)
	batch.Queue(acceptedCountSQL).QueryRow(func(row pgx.Row) error { return row.Scan(&figures.UsersAccepted) })
	batch.Queue(`SELECT f.class, f.users FROM archive.failures AS f`).Query(func(rows pgx.Rows) error {
		var class store.Class
		var users int64
		_, err := pgx.ForEachRow(rows, []any{&class, &users}, func() error {
			figures.Failures[class] += users // some of a class may have settled
			return nil
		})
		return err
	})
	batch.Queue(`
		SELECT max(r.ended_at) FROM archive.runs AS r
		WHERE r.status = 'closed' AND r.kind <> 'backfill' AND r.synced_at IS NOT NULL AND r.sync_left_held = 0`).QueryRow(func(row pgx.Row) error {
		var at *time.Time
		err := row.Scan(&at)
		figures.LastSuccessAt = orZero(at)
		return err
	})
	batch.Queue(`SELECT count(*) FROM archive.runs AS r WHERE ` + unworkedSQL).QueryRow(func(row pgx.Row) error { return row.Scan(&figures.RunsUnclosed) })
	queueVerified(&batch, &figures.Verified)
	err := l.inTx(ctx, readSnapshot, func(tx pgx.Tx) error {
		return tx.SendBatch(ctx, &batch).Close()
	})
	figures.At = figures.At.UTC()
	return figures, l.failed("read figures", err)
}

// queueWaiting counts all users by state, and finds since when the user who has
// waited longest for an attempt waits.
func queueWaiting(batch *pgx.Batch, figures *store.Figures) {
	batch.Queue(`
		SELECT s.state, count(*), count(s.left_at), count(s.unlisted_at),
		       min(coalesce(s.verified_at, s.first_seen_at)) FILTER (
		           WHERE s.state IN ('pending', 'partial', 'failed') AND s.left_at IS NULL AND NOT s.settled)
		FROM archive.subjects AS s
		GROUP BY s.state`).Query(func(rows pgx.Rows) error {
		var state store.State
		var users, left, unlisted int64
		var oldest *time.Time
		_, err := pgx.ForEachRow(rows, []any{&state, &users, &left, &unlisted, &oldest}, func() error {
			figures.Users[state] = users
			figures.UsersLeft += left
			figures.UsersUnlisted += unlisted
			if oldest != nil {
				figures.OldestUnarchivedAt[state] = oldest.UTC()
			}
			return nil
		})
		return err
	})
}

// openFindings selects the verifications whose findings still count: those with no
// later one of the whole archive that went as deep.
const openFindings = `
	WITH ranked AS (
		SELECT v.verification_id, v.ended_at, v.damaged, v.findings, v.scope = '{}' AS whole,
		       array_position(ARRAY['default', 'checksums', 'deep'], v.mode) AS depth
		FROM archive.verifications AS v
	), open_findings AS (
		SELECT v.damaged, v.findings FROM ranked AS v
		WHERE NOT EXISTS (
			SELECT 1 FROM ranked AS later
			WHERE later.verification_id > v.verification_id AND later.whole AND later.depth >= v.depth)
	)`

func queueVerified(batch *pgx.Batch, verified *store.VerifiedFigures) {
	batch.Queue(openFindings + `
		SELECT (SELECT max(r.ended_at) FROM ranked AS r), (SELECT coalesce(max(o.damaged), 0) FROM open_findings AS o)`).QueryRow(func(row pgx.Row) error {
		var at *time.Time
		err := row.Scan(&at, &verified.Damaged)
		verified.LastAt = orZero(at)
		return err
	})
	batch.Queue(openFindings + `
		SELECT f.key, max(f.value::bigint)
		FROM open_findings AS o, jsonb_each_text(o.findings) AS f
		WHERE f.value ~ '^[0-9]+$'
		GROUP BY f.key`).Query(func(rows pgx.Rows) error {
		var sort string
		var n int64
		_, err := pgx.ForEachRow(rows, []any{&sort, &n}, func() error {
			verified.Findings[sort] = n
			return nil
		})
		return err
	})
}
