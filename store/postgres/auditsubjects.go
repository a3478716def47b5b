package postgres

import (
	"context"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// auditPage is how many subjects or rows an audit reads at a time. It reads in
// pages, not through one long cursor: a snapshot held for the hours of a deep
// check would keep the ledger from being vacuumed.
const auditPage = 256

// auditSubjectsSQL picks the next subjects: $1 the last one seen, $2 how many.
// The index of each table gives them in order.
const auditSubjectsSQL = `
SELECT x.subject FROM (
	(SELECT DISTINCT i.subject FROM archive.images AS i WHERE i.subject > $1 ORDER BY i.subject LIMIT $2)
	UNION
	(SELECT DISTINCT r.subject FROM archive.records AS r WHERE r.subject > $1 ORDER BY r.subject LIMIT $2)
) AS x
ORDER BY x.subject LIMIT $2`

const auditRunSubjectsSQL = `
SELECT o.subject FROM archive.outcomes AS o
WHERE o.subject > $1 AND o.run_id = $3
ORDER BY o.subject LIMIT $2`

// AuditSubjects yields what the ledger says of the subjects in scope, in the
// order of the subjects. An error is the last that it yields.
func (l *Ledger) AuditSubjects(ctx context.Context, scope store.AuditScope) iter.Seq2[store.SubjectRows, error] {
	if scope.Subject != "" {
		return func(yield func(store.SubjectRows, error) bool) { yield(l.AuditSubject(ctx, scope.Subject)) }
	}
	return pages(store.SubjectRows{}, auditPage, func(last store.SubjectRows) ([]store.SubjectRows, error) {
		return l.auditPage(ctx, scope, last.Subject)
	})
}

// AuditSubject is what the ledger says of one subject now; no rows when it does
// not know it.
func (l *Ledger) AuditSubject(ctx context.Context, subject store.Subject) (store.SubjectRows, error) {
	var rows []store.SubjectRows
	err := l.inTx(ctx, readSnapshot, func(tx pgx.Tx) (err error) {
		rows, err = l.auditRows(ctx, tx, []store.Subject{subject})
		return err
	})
	if err != nil {
		return store.SubjectRows{}, l.failed("read what is known of a subject", err)
	}
	return rows[0], nil
}

func (l *Ledger) auditPage(ctx context.Context, scope store.AuditScope, after store.Subject) ([]store.SubjectRows, error) {
	var page []store.SubjectRows
	err := l.inTx(ctx, readSnapshot, func(tx pgx.Tx) error {
		sql, args := auditSubjectsSQL, []any{after, auditPage}
		if scope.RunID != "" {
			sql, args = auditRunSubjectsSQL, append(args, scope.RunID)
		}
		rows, _ := tx.Query(ctx, sql, args...)
		subjects, err := pgx.CollectRows(rows, pgx.RowTo[store.Subject])
		if err != nil {
			return err
		}
		page, err = l.auditRows(ctx, tx, subjects)
		return err
	})
	return page, l.failed("read the next subjects", err)
}

// auditRows reads the rows of the subjects, which are in order.
func (l *Ledger) auditRows(ctx context.Context, tx pgx.Tx, subjects []store.Subject) ([]store.SubjectRows, error) {
	page := make([]store.SubjectRows, len(subjects))
	of := make(map[store.Subject]*store.SubjectRows, len(subjects))
	for n, subject := range subjects {
		page[n].Subject = subject
		of[subject] = &page[n]
	}

	var batch pgx.Batch
	batch.Queue(`
		SELECT s.subject, coalesce(s.lease_process IN (`+liveProcesses+`), false),
		       s.lease_process IS NOT NULL OR s.state <> 'archived' OR s.next_due_at <= now(),
		       coalesce(s.user_id, '')
		FROM archive.subjects AS s WHERE s.subject = ANY ($1)`, subjects).Query(func(rows pgx.Rows) error {
		var subject store.Subject
		var live bool
		var unsettled *bool
		var userID string
		_, err := pgx.ForEachRow(rows, []any{&subject, &live, &unsettled, &userID}, func() error {
			of[subject].Listed, of[subject].UserID = true, userID
			of[subject].Live, of[subject].Unsettled = live, unsettled != nil && *unsettled
			return nil
		})
		return err
	})
	batch.Queue(`
		SELECT i.subject, i.transaction_id, i.run_id, i.kind, i.ref, i.state, i.class, i.key, i.version_id, i.etag, i.bytes,
		       i.media_type, i.width, i.height, i.sha256, i.flags, i.fetched_at
		FROM archive.images AS i WHERE i.subject = ANY ($1)
		ORDER BY i.image_id`, subjects).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var subject store.Subject
			var i store.ImageRow
			var fetched *time.Time
			if err := rows.Scan(&subject, &i.Transaction, &i.RunID, &i.Kind, &i.Ref, &i.State, &i.Class, &i.Key, &i.VersionID, &i.ETag, &i.Bytes,
				&i.MediaType, &i.Width, &i.Height, &i.SHA256, &i.Flags, &fetched); err != nil {
				return err
			}
			i.FetchedAt = orZero(fetched)
			of[subject].Images = append(of[subject].Images, i)
		}
		return rows.Err()
	})
	batch.Queue(`
		SELECT r.subject, r.run_id, r.transaction_id, r.sequence, r.key, r.version_id, r.sha256, r.archived_at,
		       coalesce(e.log_index, -1), coalesce(e.sha256, '')
		FROM archive.records AS r
		LEFT JOIN archive.log_entries AS e ON e.key = r.key
		WHERE r.subject = ANY ($1)
		ORDER BY r.subject, r.transaction_id, r.sequence`, subjects).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var subject store.Subject
			var r store.RecordRow
			if err := rows.Scan(&subject, &r.RunID, &r.Transaction, &r.Sequence, &r.Key, &r.VersionID, &r.SHA256, &r.ArchivedAt,
				&r.LogIndex, &r.LogSHA256); err != nil {
				return err
			}
			r.ArchivedAt = r.ArchivedAt.UTC()
			of[subject].Records = append(of[subject].Records, r)
		}
		return rows.Err()
	})
	batch.Queue(`
		SELECT DISTINCT o.subject, o.record_key, o.record_sha256
		FROM archive.outcomes AS o WHERE o.subject = ANY ($1) AND o.record_key <> ''
		ORDER BY o.subject, o.record_key, o.record_sha256`, subjects).Query(func(rows pgx.Rows) error {
		var subject store.Subject
		var cited store.CitedRecord
		_, err := pgx.ForEachRow(rows, []any{&subject, &cited.Key, &cited.SHA256}, func() error {
			of[subject].Cited = append(of[subject].Cited, cited)
			return nil
		})
		return err
	})
	return page, tx.SendBatch(ctx, &batch).Close()
}
