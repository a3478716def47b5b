package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// lookupTimeout bounds one statement of a look-up on the server, unless the
// configuration says otherwise. One that takes longer reads the whole table, and
// source.lookup_sql is needed.
const lookupTimeout = 2 * time.Minute

const lookupSetting = "source.lookup_sql"

// Lookup reads the rows of these users. A user who is gone is not in the map.
//
// When nobody is found, the user query itself is asked for them, once: users may
// leave at any time, but a look-up that finds none of the users whom the query has
// is store.ErrSource.
func (s *Source) Lookup(ctx context.Context, ids []string) (map[string]store.User, error) {
	users, err := s.find(ctx, ids)
	if err == nil && len(users) == 0 {
		err = s.readOnly(ctx, pgx.TxOptions{}, passStatement, func(ctx context.Context, tx pgx.Tx) error {
			return s.makeSureOfNone(ctx, tx, ids)
		})
	}
	return users, s.failed("look up users", err)
}

// find is the look-up itself.
func (s *Source) find(ctx context.Context, ids []string) (map[string]store.User, error) {
	users := make(map[string]store.User, len(ids))
	err := s.readOnly(ctx, pgx.TxOptions{}, s.lookupTimeout, func(ctx context.Context, tx pgx.Tx) error {
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
	return users, err
}

// makeSureOfNone reads the whole user query. It compares ids as the sync reads
// them, as text.
func (s *Source) makeSureOfNone(ctx context.Context, tx pgx.Tx, ids []string) error {
	var there int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM `+asTable(s.usersSQL)+` WHERE u.id::text = ANY ($1::text[])`, ids).Scan(&there)
	if err != nil {
		return unusable("source.users_sql", err)
	}
	if there == 0 {
		return nil
	}
	setting, _ := s.lookupQuery()
	return fmt.Errorf("%w: %s finds none of %d users when asked for them by id, and source.users_sql has %d of them; source.lookup_sql must return the same rows for the ids in $1",
		store.ErrSource, setting, len(ids), there)
}

// readOnly runs statements in one transaction that may only read, each for a
// bounded time.
func (s *Source) readOnly(ctx context.Context, options pgx.TxOptions, timeout time.Duration, work func(ctx context.Context, tx pgx.Tx) error) error {
	options.AccessMode = pgx.ReadOnly
	return s.within(ctx, timeout+timeout/2, func(ctx context.Context) error {
		return s.inTx(ctx, options, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, fmt.Sprintf(`SET LOCAL statement_timeout = %d`, timeout.Milliseconds())); err != nil {
				return err
			}
			return work(ctx, tx)
		})
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
