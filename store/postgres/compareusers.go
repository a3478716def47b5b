package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// Of the users who are missing, none is marked left when they are more than
// both of these: the query is then more likely wrong than right.
const (
	leftGuardUsers   = 20
	leftGuardPercent = 5
)

// compare finds what a merge of the staged users will do and keeps it in
// pg_temp.user_changes: only rows that differ, so that an unchanged million costs
// no write and no check. Rows that cannot be users are store.ErrSource.
func compare(ctx context.Context, tx pgx.Tx, rows int64, allowPersonalIDs, acceptLeft bool) (store.SyncResult, error) {
	result := store.SyncResult{Users: rows}
	if _, err := tx.Exec(ctx, `
		CREATE TEMPORARY TABLE user_changes ON COMMIT DROP AS
		SELECT coalesce(u.user_id, s.user_id) AS user_id, u.transaction_id, u.verified_at,
		       CASE WHEN s.user_id IS NULL THEN 'new'
		            WHEN u.user_id IS NULL THEN 'left'
		            WHEN s.left_at IS NOT NULL THEN 'returned'
		            ELSE 'changed' END AS change
		FROM pg_temp.source_users AS u
		FULL JOIN (SELECT x.user_id, x.transaction_id, x.verified_at, x.left_at FROM archive.subjects AS x WHERE x.user_id IS NOT NULL) AS s
		  ON s.user_id = u.user_id
		WHERE s.user_id IS NULL
		   OR (u.user_id IS NULL AND s.left_at IS NULL)
		   OR (u.user_id IS NOT NULL AND (s.left_at IS NOT NULL
		       OR u.verified_at IS DISTINCT FROM s.verified_at OR u.transaction_id IS DISTINCT FROM s.transaction_id::text))`); err != nil {
		return result, err
	}
	if _, err := tx.Exec(ctx, onlyNotedSQL); err != nil {
		return result, err
	}
	if err := refuseUnusable(ctx, tx, rows, allowPersonalIDs); err != nil {
		return result, err
	}
	if err := refuseDuplicates(ctx, tx); err != nil {
		return result, err
	}
	var missing, present int64
	if err := tx.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE c.change = 'new'), count(*) FILTER (WHERE c.change = 'changed'),
		       count(*) FILTER (WHERE c.change = 'returned'), count(*) FILTER (WHERE c.change = 'left'),
		       (SELECT count(*) FROM archive.subjects AS s WHERE s.user_id IS NOT NULL AND s.left_at IS NULL)
		FROM pg_temp.user_changes AS c`).Scan(&result.New, &result.Changed, &result.Returned, &missing, &present); err != nil {
		return result, err
	}
	if missing > leftGuardUsers && missing*100 > present*leftGuardPercent && !acceptLeft {
		result.LeftHeld = missing
	} else {
		result.Left = missing
	}
	return result, nil
}

// onlyNotedSQL picks out rows whose change calls for nothing: it is written down,
// and its user is not due for it. So nobody who is archived becomes due because the
// user query got another column: a date where there was none, of a time before the
// user was last found complete, or, where Vlens names no transaction, the first
// transactions that any row names. All other changes are news, those of a known date
// among them: it may be of a day, which says nothing of the hour.
const onlyNotedSQL = `
UPDATE pg_temp.user_changes AS c SET change = 'noted'
FROM archive.subjects AS s
WHERE c.change = 'changed' AND s.user_id = c.user_id
  AND (c.verified_at IS NULL OR c.verified_at = s.verified_at OR s.verified_at IS NULL AND c.verified_at <= s.archived_at)
  AND (c.transaction_id IS NULL OR c.transaction_id IS NOT DISTINCT FROM s.transaction_id::text
       OR s.state = 'archived' AND s.newest_transaction = c.transaction_id
       OR s.state = 'archived' AND s.newest_transaction LIKE 't-%'
          AND NOT EXISTS (SELECT 1 FROM archive.subjects AS named WHERE named.transaction_id IS NOT NULL)
       OR EXISTS (
           SELECT 1 FROM archive.outcomes AS o
           WHERE o.subject = s.subject AND o.transaction_id = c.transaction_id
             AND o.outcome IN ('archived', 'unchanged') AND o.class IN ('', 'conflict')))`

// refuseUnusable counts what is wrong with the rows that differ; those that do not
// were in the ledger before. It only counts: the rows are nobody's to print.
func refuseUnusable(ctx context.Context, tx pgx.Tx, rows int64, allowPersonalIDs bool) error {
	var noID, personal, noUUID int64
	if err := tx.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE c.user_id IS NULL OR c.user_id = ''),
		       count(*) FILTER (WHERE NOT $1 AND c.change = 'new' AND (c.user_id ~ $2 OR translate(c.user_id, $3, '') ~ $4)),
		       count(*) FILTER (WHERE c.transaction_id !~ $5)
		FROM pg_temp.user_changes AS c`,
		allowPersonalIDs, store.PersonalEmail, store.PersonalSeparators, store.PersonalNumber, uuidShape).Scan(&noID, &personal, &noUUID); err != nil {
		return err
	}
	var faults []string
	fault := func(n int64, what string) {
		if n > 0 {
			faults = append(faults, fmt.Sprintf("%d rows %s", n, what))
		}
	}
	fault(noID, "have no id")
	fault(personal, "have an id that looks like a phone number, an email or a national id (use another id, or set source.allow_personal_ids)")
	fault(noUUID, "have a transaction_id that is no UUID")
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: of %d rows of source.users_sql, %s", store.ErrSource, rows, strings.Join(faults, ", "))
}

// refuseDuplicates counts ids that several rows have. All rows are looked at: two
// rows of a known user may both be as the ledger has them.
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
