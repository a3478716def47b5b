package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// Search reads the whole user query, in one snapshot and as a stream, and
// returns the ids of the users that matches picks, at most limit of them. The
// user that matches is given has an id, an email and a phone and is valid during
// the call only.
//
// The query is not filtered on the server: how an email or a number may be
// written is nothing that SQL knows.
func (s *Source) Search(ctx context.Context, matches func(store.User) bool, limit int) ([]string, error) {
	var found []string
	err := s.inTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		columns, err := s.describe(ctx, tx.Conn(), "source.users_sql", s.usersSQL)
		if err != nil {
			return err
		}
		email, phone := columns.identifiers()
		rows, err := tx.Query(ctx, fmt.Sprintf(`SELECT coalesce(u.id::text, ''), %s, %s FROM %s`, email, phone, asTable(s.usersSQL)))
		if err != nil {
			return unusable("source.users_sql", err)
		}
		defer rows.Close()
		for len(found) < limit && rows.Next() {
			var user store.User
			if err := rows.Scan(&user.ID, (*string)(&user.Email), (*string)(&user.Phone)); err != nil {
				return err
			}
			if matches(user) {
				found = append(found, user.ID)
			}
		}
		rows.Close()
		return unusable("source.users_sql", rows.Err())
	})
	return found, s.failed("search users", err)
}
