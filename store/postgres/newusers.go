package postgres

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// newBatch is how many new users get their pseudonym at a time.
const newBatch = 20_000

// addUsers adds the new users under their pseudonyms. They come in the order of
// subjects_ready_newest: that index then grows at its end, and users who are
// claimed together stand together.
func addUsers(ctx context.Context, tx pgx.Tx, key store.SubjectKey) error {
	if err := linkUsers(ctx, tx, key); err != nil {
		return err
	}
	return copyUsers(ctx, tx, key, `
		SELECT c.user_id, c.transaction_id, c.verified_at FROM pg_temp.user_changes AS c WHERE c.change = 'new'
		ORDER BY coalesce(c.verified_at, now()) DESC`,
		`archive.subjects (user_id, transaction_id, verified_at, subject)`)
}

// linkUsers gives subjects without an id, which a rebuild from the bucket leaves,
// to those of the new users whose pseudonyms they are.
func linkUsers(ctx context.Context, tx pgx.Tx, key store.SubjectKey) error {
	var nameless bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM archive.subjects AS s WHERE s.user_id IS NULL)`).Scan(&nameless)
	if err != nil || !nameless {
		return err
	}
	if err := pseudonyms(ctx, tx, key, `SELECT c.user_id FROM pg_temp.user_changes AS c WHERE c.change = 'new'`); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		WITH linked AS (
			UPDATE archive.subjects AS s
			SET user_id = c.user_id, transaction_id = c.transaction_id, verified_at = c.verified_at, left_at = NULL,
			    attempts = 0, next_due_at = now(), due_reason = 'returned', row_version = s.row_version + 1
			FROM pg_temp.new_subjects AS n JOIN pg_temp.user_changes AS c ON c.user_id = n.user_id
			WHERE s.subject = n.subject
			RETURNING s.user_id
		)
		UPDATE pg_temp.user_changes AS c SET change = 'linked' FROM linked AS l WHERE c.user_id = l.user_id`)
	return err
}

// pseudonyms gives the users whose ids the query yields their subjects, in
// pg_temp.new_subjects.
func pseudonyms(ctx context.Context, tx pgx.Tx, key store.SubjectKey, idsSQL string) error {
	if _, err := tx.Exec(ctx, `
		CREATE TEMPORARY TABLE new_subjects (user_id text COLLATE "C" NOT NULL, subject text COLLATE "C" NOT NULL) ON COMMIT DROP`); err != nil {
		return err
	}
	return copyUsers(ctx, tx, key, idsSQL, `pg_temp.new_subjects (user_id, subject)`)
}

// copyUsers copies the rows of the query, each with the subject of its first
// column as one column more, into a table, a batch at a time. COPY costs the
// ledger less than INSERT, with or without ON CONFLICT.
func copyUsers(ctx context.Context, tx pgx.Tx, key store.SubjectKey, usersSQL, into string) error {
	if _, err := tx.Exec(ctx, `DECLARE users_to_copy NO SCROLL CURSOR FOR `+usersSQL); err != nil {
		return err
	}
	var batch bytes.Buffer
	for {
		n, err := fetchUsers(ctx, tx, key, &batch)
		if err != nil {
			return err
		}
		if n == 0 {
			_, err := tx.Exec(ctx, `CLOSE users_to_copy`)
			return err
		}
		if _, err := tx.Conn().PgConn().CopyFrom(ctx, &batch, `COPY `+into+` FROM STDIN (FORMAT binary)`); err != nil {
			return err
		}
	}
}

// fetchUsers puts the next rows into an empty batch, in COPY's binary format, and
// returns how many there are.
func fetchUsers(ctx context.Context, tx pgx.Tx, key store.SubjectKey, batch *bytes.Buffer) (int64, error) {
	// Described anew each time: the cursor does not always have the same columns.
	rows, err := tx.Query(ctx, fmt.Sprintf(`FETCH %d FROM users_to_copy`, newBatch),
		pgx.QueryExecModeDescribeExec, pgx.QueryResultFormats{pgx.BinaryFormatCode})
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	batch.Write(copySignature)
	batch.Write(make([]byte, copyFlags))
	for rows.Next() {
		fields := rows.RawValues()
		row := append(batch.AvailableBuffer(), 0, byte(len(fields)+1))
		for _, field := range fields {
			row = appendField(row, field)
		}
		batch.Write(appendField(row, []byte(key.Subject(string(fields[0])))))
	}
	batch.Write(copyTrailer)
	return rows.CommandTag().RowsAffected(), rows.Err()
}
