package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// lookupTimeout bounds one look-up on the server. One that takes longer reads
// the whole table, and source.lookup_sql is needed.
const lookupTimeout = 2 * time.Minute

const lookupSetting = "source.lookup_sql"

// Lookup reads the rows of these users. A user who is gone is not in the map.
func (s *Source) Lookup(ctx context.Context, ids []string) (map[string]store.User, error) {
	users := make(map[string]store.User, len(ids))
	err := s.readOnly(ctx, lookupTimeout, func(tx pgx.Tx) error {
		setting, query := s.lookupQuery()
		columns, err := s.describe(ctx, tx.Conn(), setting, query)
		if err != nil {
			return err
		}
		if err := readTextAsUTC(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, s.lookupStatement(columns, query), ids)
		if err != nil {
			return unusable(setting, err)
		}
		var user store.User
		var verified *time.Time
		_, err = pgx.ForEachRow(rows, []any{&user.ID, (*string)(&user.Email), (*string)(&user.Phone), &user.TransactionID, &verified}, func() error {
			user.VerifiedAt = orZero(verified)
			users[user.ID] = user
			return nil
		})
		return unusable(setting, err)
	})
	return users, s.failed("look up users", err)
}

// readOnly runs statements that may only read, each for a bounded time.
func (s *Source) readOnly(ctx context.Context, timeout time.Duration, work func(tx pgx.Tx) error) error {
	return s.inTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, fmt.Sprintf(`SET LOCAL statement_timeout = %d`, timeout.Milliseconds())); err != nil {
			return err
		}
		return work(tx)
	})
}

// lookupQuery is the query to filter, and the setting it comes from.
func (s *Source) lookupQuery() (setting, query string) {
	if s.lookupSQL != "" {
		return lookupSetting, s.lookupSQL
	}
	return "source.users_sql", s.usersSQL
}

// lookupStatement compares ids in their own type, not as text, so that an index
// on them is used.
func (s *Source) lookupStatement(columns SourceColumns, query string) string {
	where := ""
	if s.lookupSQL == "" {
		where = ` WHERE u.id = ANY ($1::text[]::` + columns.idType + `[])`
	}
	return userColumns(columns) + ` FROM ` + asTable(query) + where
}

// userColumns selects id, email, phone, transaction id and verified_at; only the
// id and the time may be NULL.
func userColumns(columns SourceColumns) string {
	email, phone := columns.identifiers()
	return `SELECT u.id::text, ` + email + `, ` + phone + `, coalesce(` + columns.transactionID() + `, ''), ` + columns.verifiedAt()
}
