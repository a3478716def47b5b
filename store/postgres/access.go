package postgres

import (
	"context"

	"vlens-archiver/store"
)

// AddAccess adds a row to the access log.
func (l *Ledger) AddAccess(ctx context.Context, a store.Access) error {
	_, err := l.pool.Exec(ctx, addAccessSQL, accessArgs(a)...)
	return l.failed("write access log", err)
}

const addAccessSQL = `
INSERT INTO archive.access_log (at, action, actor, subject, reason, objects, audit_key)
VALUES ($1, $2, $3, $4, $5, $6, $7)`

func accessArgs(a store.Access) []any {
	return []any{a.At, a.Action, a.Actor, a.Subject, a.Reason, a.Objects, a.AuditKey}
}
