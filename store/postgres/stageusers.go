package postgres

import (
	"bufio"
	"cmp"
	"context"
	"io"

	"github.com/jackc/pgx/v5"
)

// copyBuffer is how much of the user query is on its way at a time, in bytes.
const copyBuffer = 256 << 10

// stage streams the user query into a temporary table of the transaction,
// pg_temp.source_users, and returns how many rows it has, and of how many of them
// verified_at is no time of a verification. What else is in them is not looked at
// yet. Emails and phones are not read.
func (u *Users) stage(ctx context.Context, tx pgx.Tx) (rows, undated int64, err error) {
	if rows, err = u.copyUsers(ctx, tx); err != nil {
		return 0, 0, err
	}
	err = tx.QueryRow(ctx, `SELECT count(*) FROM pg_temp.source_users AS u WHERE u.undated`).Scan(&undated)
	return rows, undated, err
}

func (u *Users) copyUsers(ctx context.Context, tx pgx.Tx) (int64, error) {
	if _, err := tx.Exec(ctx, `
		SET LOCAL work_mem = '128MB';
		CREATE TEMPORARY TABLE source_users (
			user_id text COLLATE "C", transaction_id text COLLATE "C", verified_at timestamptz, undated boolean
		) ON COMMIT DROP`); err != nil {
		return 0, err
	}

	// The rows pass from one COPY to the other as they come. In the binary format
	// times do not depend on settings of the two sessions.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	reader, writer := io.Pipe()
	sourceErr := make(chan error, 1)
	go func() {
		buffered := bufio.NewWriterSize(writer, copyBuffer)
		err := u.source.stream(ctx, buffered)
		if err == nil {
			err = buffered.Flush()
		}
		sourceErr <- err // before the ledger can fail because of it
		writer.CloseWithError(err)
	}()
	copied, err := tx.Conn().PgConn().CopyFrom(ctx, reader, `COPY pg_temp.source_users (user_id, transaction_id, verified_at, undated) FROM STDIN (FORMAT binary)`)
	select {
	case failed := <-sourceErr:
		return copied.RowsAffected(), cmp.Or(failed, err)
	default: // the ledger failed, which ends the source
		stop()
		reader.CloseWithError(io.ErrClosedPipe)
		return 0, cmp.Or(err, <-sourceErr)
	}
}

// stream writes id, transaction id and time of all users, and whether the time is none, in COPY's binary format,
// read in one snapshot.
func (s *Source) stream(ctx context.Context, to io.Writer) error {
	err := s.readOnly(ctx, readSnapshot, passStatement, func(ctx context.Context, tx pgx.Tx) error {
		columns, err := s.describe(ctx, tx.Conn(), "source.users_sql", s.usersSQL)
		if err != nil {
			return err
		}
		if err := readTextAsUTC(ctx, tx); err != nil {
			return err
		}
		_, err = tx.Conn().PgConn().CopyTo(ctx, to, `COPY (SELECT u.id::text, `+columns.transactionID()+`, `+columns.verifiedAt()+`, `+columns.undated()+
			` FROM `+asTable(s.usersSQL)+`) TO STDOUT (FORMAT binary)`)
		return unusable("source.users_sql", err)
	})
	return s.failed("read users", err)
}
