package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// subjectBatch is how many users get their subject at a time.
const subjectBatch = 20_000

// addUsers adds the new users under their subjects. A subject without a user,
// which a rebuild from the bucket leaves, is given the user that belongs to it.
//
// They come in the order of subjects_due_at_once: that index then grows at its
// end, and users who are claimed together stand together.
//
// A subject that another user has already is an error: two ids have one subject, or
// the key is not the one that the ledger was filled with.
func addUsers(ctx context.Context, tx pgx.Tx, key store.SubjectKey, users int64) error {
	if err := findSubjects(ctx, tx, key); err != nil {
		return err
	}
	added, err := tx.Exec(ctx, `
		INSERT INTO archive.subjects AS s (subject, user_id, transaction_id, verified_at)
		SELECT n.subject, c.user_id, c.transaction_id::uuid, c.verified_at
		FROM pg_temp.new_subjects AS n JOIN pg_temp.user_changes AS c ON c.user_id = n.user_id
		ORDER BY coalesce(c.verified_at, now()) DESC
		ON CONFLICT (subject) DO UPDATE
		SET user_id = excluded.user_id, transaction_id = excluded.transaction_id, verified_at = excluded.verified_at, left_at = NULL,
		    attempts = 0, next_due_at = now(), due_reason = 'returned', row_version = s.row_version + 1
		WHERE s.user_id IS NULL`)
	if err == nil && added.RowsAffected() != users {
		err = fmt.Errorf("%w: %d of %d new users", errSubjectTaken, users-added.RowsAffected(), users)
	}
	return err
}

// findSubjects computes the subjects of the new users, into pg_temp.new_subjects.
// Postgres has no HMAC, and should not see the key.
func findSubjects(ctx context.Context, tx pgx.Tx, key store.SubjectKey) error {
	if _, err := tx.Exec(ctx, `
		CREATE TEMPORARY TABLE new_subjects (user_id text COLLATE "C" NOT NULL, subject text COLLATE "C" NOT NULL) ON COMMIT DROP;
		DECLARE new_users NO SCROLL CURSOR FOR SELECT c.user_id FROM pg_temp.user_changes AS c WHERE c.change = 'new'`); err != nil {
		return err
	}
	for {
		rows, _ := tx.Query(ctx, fmt.Sprintf(`FETCH %d FROM new_users`, subjectBatch))
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(ids) == 0 {
			return err
		}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"pg_temp", "new_subjects"}, []string{"user_id", "subject"},
			pgx.CopyFromSlice(len(ids), func(n int) ([]any, error) { return []any{ids[n], string(key.Subject(ids[n]))}, nil })); err != nil {
			return err
		}
	}
}
