package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// auditEntries is how many entries of the log are read at a time.
const auditEntries = 2048

// AuditLog yields the log's entries as the ledger has them, in the order of
// their indexes. An error is the last that it yields.
func (l *Ledger) AuditLog(ctx context.Context) iter.Seq2[store.LogRow, error] {
	// The run of an entry is known by the last folder of its key, and a statement by
	// what it says of users.
	return pages(store.LogRow{Index: -1}, auditEntries, func(last store.LogRow) ([]store.LogRow, error) {
		rows, _ := l.pool.Query(ctx, `
			SELECT e.log_index, e.sha256, e.kind, e.key,
			       CASE e.kind WHEN 'run' THEN EXISTS (SELECT 1 FROM archive.runs AS n WHERE n.run_id = split_part(e.key, '/', -2))
			            ELSE coalesce(r.key, x.audit_key) IS NOT NULL END,
			       coalesce(r.sha256, x.audit_sha256, '')
			FROM archive.log_entries AS e
			LEFT JOIN archive.records AS r ON r.key = e.key AND e.kind = 'record'
			LEFT JOIN LATERAL (
				SELECT a.audit_key, a.audit_sha256 FROM archive.exceptions AS a WHERE e.kind = 'statement' AND a.audit_key = e.key LIMIT 1
			) AS x ON true
			WHERE e.log_index > $1
			ORDER BY e.log_index LIMIT $2`, last.Index, auditEntries)
		page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[store.LogRow])
		return page, l.failed("read entries of the log", err)
	})
}

// AuditUnbacked yields what the ledger claims without a record to show for it:
// the keys of records that outcomes cite and the ledger does not have, and the
// subjects who are archived without a record of their newest verification, as subject with an empty key.
func (l *Ledger) AuditUnbacked(ctx context.Context) iter.Seq2[store.Unbacked, error] {
	return func(yield func(store.Unbacked, error) bool) {
		rows, err := l.pool.Query(ctx, `
			SELECT DISTINCT o.subject, o.record_key FROM archive.outcomes AS o
			WHERE o.record_key <> '' AND NOT EXISTS (SELECT 1 FROM archive.records AS r WHERE r.key = o.record_key)
			UNION ALL
			SELECT s.subject, '' FROM archive.subjects AS s
			WHERE s.state = 'archived' AND NOT EXISTS (SELECT 1 FROM archive.records AS r 
			    WHERE r.subject = s.subject AND s.newest_transaction IN ('', r.transaction_id))`)
		if err != nil {
			yield(store.Unbacked{}, l.failed("look for claims without a record", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var claim store.Unbacked
			err := rows.Scan(&claim.Subject, &claim.RecordKey)
			if err != nil {
				yield(claim, l.failed("look for claims without a record", err))
				return
			}
			if !yield(claim, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(store.Unbacked{}, l.failed("look for claims without a record", err))
		}
	}
}

// CountObjects counts the stored images and the records.
func (l *Ledger) CountObjects(ctx context.Context) (int64, error) {
	var objects int64
	err := l.pool.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM archive.images AS i WHERE i.state = 'stored') + (SELECT count(*) FROM archive.records)`).Scan(&objects)
	return objects, l.failed("count what there is to check", err)
}
