package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// AuditStatements reads the rows of the access log, of the verifications and of the
// exceptions that name a statement in the bucket, by the statement's key; all of
// them, or those that name one of the keys.
func (l *Ledger) AuditStatements(ctx context.Context, keys ...string) ([]store.StatedRow, error) {
	var rows []store.StatedRow
	err := l.inTx(ctx, readSnapshot, func(tx pgx.Tx) error {
		rows = nil
		accesses, err := statedRows[store.Access](ctx, tx, `
			SELECT a.at, a.action, a.actor, coalesce(a.subject, ''), a.reason, a.objects, a.audit_key, a.audit_sha256
			FROM archive.access_log AS a WHERE `+statedSQL, keys)
		if err != nil {
			return err
		}
		for _, access := range accesses {
			rows = append(rows, store.StatedRow{Access: &access, LogIndex: -1})
		}
		verifications, err := statedRows[store.Verification](ctx, tx, `
			SELECT a.started_at, a.ended_at, a.mode, a.scope, a.objects, a.records, a.damaged, a.findings, a.audit_key, a.audit_sha256
			FROM archive.verifications AS a WHERE `+statedSQL, keys)
		for _, verification := range verifications {
			rows = append(rows, store.StatedRow{Verification: &verification, LogIndex: -1})
		}
		if err != nil {
			return err
		}
		stated, err := statedExceptions(ctx, tx, keys)
		rows = append(rows, stated...)
		return err
	})
	slices.SortFunc(rows, func(a, b store.StatedRow) int { return cmp.Compare(a.Key(), b.Key()) })
	return rows, l.failed("read the trail of audits", err)
}

const statedSQL = `a.audit_key <> '' AND ($1::text[] IS NULL OR a.audit_key = ANY ($1))`

// statedRows fit in memory: there is one for each thing that a person did.
func statedRows[T any](ctx context.Context, tx pgx.Tx, sql string, keys []string) ([]T, error) {
	rows, err := tx.Query(ctx, sql, keys)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// statedExceptions are the exceptions, those of one statement together.
func statedExceptions(ctx context.Context, tx pgx.Tx, keys []string) ([]store.StatedRow, error) {
	rows, err := tx.Query(ctx, `
		SELECT coalesce(l.log_index, -1), `+exceptionsSQL("a")+`
		FROM archive.exceptions AS a LEFT JOIN archive.log_entries AS l ON l.key = a.audit_key
		WHERE `+statedSQL+` ORDER BY a.audit_key, a.subject`, keys)
	if err != nil {
		return nil, err
	}
	var stated []store.StatedRow
	for rows.Next() {
		var index int64
		e, err := scanException(rows, &index)
		if err != nil {
			rows.Close()
			return nil, err
		}
		if n := len(stated); n > 0 && stated[n-1].Key() == e.AuditKey {
			stated[n-1].Exceptions = append(stated[n-1].Exceptions, e)
		} else {
			stated = append(stated, store.StatedRow{Exceptions: []store.Exception{e}, LogIndex: index})
		}
	}
	return stated, rows.Err()
}

// AddVerification keeps what a verification found, together with the statement
// of it that state writes: one is not kept without the other. An error of state
// is returned as it is.
func (l *Ledger) AddVerification(ctx context.Context, v store.Verification, state func(context.Context) error) error {
	return l.addStated(ctx, "keep the verification", state, addVerificationSQL, verificationArgs(v))
}

const addVerificationSQL = `
INSERT INTO archive.verifications (started_at, ended_at, mode, scope, objects, records, damaged, findings, audit_key, audit_sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

func verificationArgs(v store.Verification) []any {
	return []any{v.StartedAt, v.EndedAt, v.Mode, v.Scope, v.Objects, v.Records, v.Damaged, v.Findings, v.AuditKey, v.AuditSHA256}
}
