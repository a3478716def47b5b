package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// AddAccess adds a row to the access log, together with the statement of it that
// state writes: one is not kept without the other. An error of state is returned
// as it is.
func (l *Ledger) AddAccess(ctx context.Context, a store.Access, state func(context.Context) error) error {
	return l.addStated(ctx, "write access log", state, addAccessSQL, accessArgs(a))
}

// addStated keeps a row if state succeeds. State comes second, because a row can
// be taken back and an object cannot.
func (l *Ledger) addStated(ctx context.Context, operation string, state func(context.Context) error, sql string, args []any) error {
	var unstated error
	err := l.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sql, args...); err != nil {
			return err
		}
		unstated = state(ctx)
		return unstated
	})
	if unstated != nil {
		return unstated
	}
	return l.failed(operation, err)
}

const addAccessSQL = `
INSERT INTO archive.access_log (at, action, actor, subject, reason, objects, audit_key, audit_sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

func accessArgs(a store.Access) []any {
	return []any{a.At, a.Action, a.Actor, a.Subject, a.Reason, a.Objects, a.AuditKey, a.AuditSHA256}
}
