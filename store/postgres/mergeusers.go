package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// merge writes what compare found.
func merge(ctx context.Context, tx pgx.Tx, key store.SubjectKey, result store.SyncResult) error {
	if _, err := tx.Exec(ctx, `
		UPDATE archive.subjects AS s
		SET transaction_id = c.transaction_id::uuid, verified_at = c.verified_at, left_at = NULL, attempts = 0,
		    next_due_at = now(), due_reason = c.change, row_version = s.row_version + 1
		FROM pg_temp.user_changes AS c
		WHERE c.change IN ('changed', 'returned') AND s.user_id = c.user_id`); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `
		UPDATE archive.subjects AS s
		SET transaction_id = c.transaction_id::uuid, verified_at = c.verified_at
		FROM pg_temp.user_changes AS c
		WHERE c.change = 'noted' AND s.user_id = c.user_id`); err != nil {
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
		if err := addUsers(ctx, tx, key, result.New); err != nil {
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
