package postgres

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// copyBuffer is how much of the user query is on its way at a time, in bytes.
const copyBuffer = 256 << 10

// stage streams the user query into a temporary table of the transaction,
// pg_temp.source_users, and returns how many rows it has. It refuses ids that
// are missing or personal. Emails and phones are not read.
func (u *Users) stage(ctx context.Context, tx pgx.Tx, allowPersonalIDs bool) (int64, error) {
	if _, err := tx.Exec(ctx, `
		SET LOCAL work_mem = '128MB';
		CREATE TEMPORARY TABLE source_users (
			user_id text COLLATE "C" NOT NULL, transaction_id uuid, verified_at timestamptz
		) ON COMMIT DROP`); err != nil {
		return 0, err
	}

	// The reader of the source has its own goroutine; the copy into the ledger
	// reads what it writes, and either ends the other.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	reader, writer := io.Pipe()
	buffered := bufio.NewWriterSize(writer, copyBuffer)
	rows := &userRows{to: buffered, allowPersonalIDs: allowPersonalIDs}
	sourceErr := make(chan error, 1)
	go func() {
		err := u.source.stream(ctx, rows)
		if err == nil {
			err = rows.err()
		}
		if err == nil {
			err = buffered.Flush()
		}
		sourceErr <- err
		writer.CloseWithError(err)
	}()
	_, err := tx.Conn().PgConn().CopyFrom(ctx, reader, `COPY pg_temp.source_users (user_id, transaction_id, verified_at) FROM STDIN (FORMAT binary)`)
	select {
	case failed := <-sourceErr:
		return rows.rows, cmp.Or(failed, err)
	default: // the ledger failed first, and is why the source will
		stop()
		reader.CloseWithError(io.ErrClosedPipe)
		return 0, cmp.Or(err, <-sourceErr)
	}
}

// stream writes the users in COPY's binary format, read in one snapshot.
func (s *Source) stream(ctx context.Context, to io.Writer) error {
	err := s.inTx(ctx, readSnapshot, func(tx pgx.Tx) error {
		columns, err := s.describe(ctx, tx.Conn(), "source.users_sql", s.usersSQL)
		if err != nil {
			return err
		}
		if err := columns.prepareSession(ctx, tx); err != nil {
			return err
		}
		_, err = tx.Conn().PgConn().CopyTo(ctx, to, `COPY (SELECT u.id::text, `+columns.transactionID()+`, `+columns.verifiedAt()+
			` FROM `+asTable(s.usersSQL)+`) TO STDOUT (FORMAT binary)`)
		return unusable("source.users_sql", err)
	})
	return s.failed("read users", err)
}

// refuseDuplicates counts ids that several rows have.
func refuseDuplicates(ctx context.Context, tx pgx.Tx) error {
	var ids, rows int64
	if err := tx.QueryRow(ctx, `
		SELECT count(*), coalesce(sum(d.n), 0)::bigint
		FROM (SELECT count(*) AS n FROM pg_temp.source_users AS u GROUP BY u.user_id HAVING count(*) > 1) AS d`).Scan(&ids, &rows); err != nil {
		return err
	}
	if ids > 0 {
		return fmt.Errorf("%w: %d rows of source.users_sql share %d ids; each user must be one row", store.ErrSource, rows, ids)
	}
	return nil
}
