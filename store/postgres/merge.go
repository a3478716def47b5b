package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// Of the users who are missing, none is marked left when they are more than
// both of these: the query is then more likely wrong than right.
const (
	leftGuardUsers   = 20
	leftGuardPercent = 5
)

// compare finds what the merge will do and keeps it in pg_temp.user_changes:
// only rows that differ, so that an unchanged million costs no write. It refuses
// rows that share an id.
func compare(ctx context.Context, tx pgx.Tx, rows int64, acceptLeft bool) (store.SyncResult, error) {
	result := store.SyncResult{Users: rows}
	if _, err := tx.Exec(ctx, `
		CREATE TEMPORARY TABLE user_changes ON COMMIT DROP AS
		SELECT coalesce(u.user_id, s.user_id) AS user_id, u.transaction_id, u.verified_at,
		       CASE WHEN s.user_id IS NULL THEN 'new'
		            WHEN u.user_id IS NULL THEN 'left'
		            WHEN s.left_at IS NOT NULL THEN 'returned'
		            ELSE 'changed' END AS change
		FROM pg_temp.source_users AS u
		FULL JOIN (SELECT x.user_id, x.transaction_id, x.verified_at, x.left_at FROM archive.subjects AS x WHERE x.user_id IS NOT NULL) AS s
		  ON s.user_id = u.user_id
		WHERE s.user_id IS NULL
		   OR (u.user_id IS NULL AND s.left_at IS NULL)
		   OR (u.user_id IS NOT NULL AND (s.left_at IS NOT NULL
		       OR u.verified_at IS DISTINCT FROM s.verified_at OR u.transaction_id IS DISTINCT FROM s.transaction_id))`); err != nil {
		return result, err
	}
	var missing, present, twice int64
	if err := tx.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE c.change = 'new'), count(*) FILTER (WHERE c.change = 'changed'),
		       count(*) FILTER (WHERE c.change = 'returned'), count(*) FILTER (WHERE c.change = 'left'),
		       (SELECT count(*) FROM archive.subjects AS s WHERE s.user_id IS NOT NULL AND s.left_at IS NULL),
		       (SELECT count(*) FROM (SELECT 1 FROM pg_temp.user_changes AS d GROUP BY d.user_id HAVING count(*) > 1) AS t)
		FROM pg_temp.user_changes AS c`).Scan(&result.New, &result.Changed, &result.Returned, &missing, &present, &twice); err != nil {
		return result, err
	}
	// Every row that is neither new nor returned must have met another user who
	// was there before. To count so is cheaper than to group a million rows.
	if twice > 0 || rows-result.New-result.Returned != present-missing {
		if err := refuseDuplicates(ctx, tx); err != nil {
			return result, err
		}
	}
	if missing > leftGuardUsers && missing*100 > present*leftGuardPercent && !acceptLeft {
		result.LeftHeld = missing
	} else {
		result.Left = missing
	}
	return result, nil
}

// merge writes what compare found.
func merge(ctx context.Context, tx pgx.Tx, key store.SubjectKey, result store.SyncResult) error {
	if _, err := tx.Exec(ctx, `
		UPDATE archive.subjects AS s
		SET transaction_id = c.transaction_id, verified_at = c.verified_at, left_at = NULL, attempts = 0,
		    next_due_at = now(), due_reason = c.change, row_version = s.row_version + 1
		FROM pg_temp.user_changes AS c
		WHERE c.change IN ('changed', 'returned') AND s.user_id = c.user_id`); err != nil {
		return err
	}
	if result.Left > 0 {
		if _, err := tx.Exec(ctx, `
			UPDATE archive.subjects AS s SET left_at = now()
			FROM pg_temp.user_changes AS c
			WHERE c.change = 'left' AND s.user_id = c.user_id`); err != nil {
			return err
		}
	}
	if result.New > 0 {
		if err := addUsers(ctx, tx, key); err != nil {
			return err
		}
	}
	if result.New+result.Changed+result.Returned+result.Left >= largeChange {
		if _, err := tx.Exec(ctx, `ANALYZE archive.subjects`); err != nil {
			return err
		}
	}
	return nil
}
