package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// errPlanned rolls the transaction of a plan back.
var errPlanned = errors.New("planned")

// Plan says what a run with this selection would find now. It reads and compares
// as Sync does, counts the users as a merge would leave them, and takes all of it
// back. Of the users due it counts the limit newest; 0 is all. The run takes as many,
// but some of its claims take those who have waited longest: where retries and
// rechecks are due beside new users, it may take others of each reason.
func (u *Users) Plan(ctx context.Context, selection store.Selection, limit int, allowPersonalIDs bool, key store.SubjectKey) (store.PlanFigures, error) {
	figures := store.PlanFigures{Due: make(map[store.DueReason]int64)}
	err := u.ledger.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		rows, undated, err := u.stage(ctx, tx)
		if err != nil {
			return err
		}
		if figures.Sync, err = compare(ctx, tx, rows, allowPersonalIDs, false); err != nil {
			return err
		}
		figures.Sync.Undated = undated
		if err := countDue(ctx, tx, selection, limit, &figures); err != nil {
			return err
		}
		if err := countHistory(ctx, tx, &figures); err != nil {
			return err
		}
		return errPlanned
	})
	if errors.Is(err, errPlanned) {
		err = nil
	}
	return figures, u.ledger.failed("plan", err)
}

// countDue counts, by reason, the users as they would be after the merge. No image
// is expected of rechecks, of who had none, and of settled failures unless the
// selection is of who failed.
func countDue(ctx context.Context, tx pgx.Tx, selection store.Selection, limit int, figures *store.PlanFigures) error {
	if err := refuseUnknownIDs(ctx, tx, selection.UserIDs); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `
		WITH merged AS (
			SELECT s.user_id, s.subject, s.state, s.last_class, s.settled, s.first_seen_at,
			       CASE WHEN c.change IN ('changed', 'returned', 'noted') THEN c.verified_at ELSE s.verified_at END AS verified_at,
			       (c.change = 'left' AND $1) IS TRUE OR (s.left_at IS NOT NULL AND c.change IS DISTINCT FROM 'returned') AS has_left,
			       (c.change IN ('changed', 'returned')) IS TRUE OR (s.next_due_at <= now()) IS TRUE AS due,
			       CASE WHEN c.change IN ('changed', 'returned') THEN c.change ELSE s.due_reason END AS reason
			FROM archive.subjects AS s
			LEFT JOIN pg_temp.user_changes AS c ON c.user_id = s.user_id
			WHERE s.user_id IS NOT NULL
			UNION ALL
			SELECT c.user_id, '', 'pending', '', false, now(), c.verified_at, false, true, 'new'
			FROM pg_temp.user_changes AS c WHERE c.change = 'new'
		), claimed AS (
			SELECT CASE WHEN m.due THEN m.reason WHEN m.state = 'pending' THEN 'new' WHEN m.state = 'archived' THEN 'recheck' ELSE 'retry' END AS reason, m.state,
			       m.state = 'archived' OR m.state IN ('no_images', 'not_found')
			           OR NOT $4 AND m.settled AS known
			FROM merged AS m
			WHERE CASE WHEN cardinality($2::text[]) > 0 THEN m.user_id = ANY ($2)
			           WHEN $3 THEN NOT m.has_left
			                AND (NOT $4 OR m.state IN ('failed', 'partial') AND NOT EXISTS (SELECT 1 FROM archive.accepted AS a WHERE a.subject = m.subject))
			                AND ($5::text = '' OR m.last_class = $5)
			                AND ($6::timestamptz IS NULL OR m.verified_at >= $6)
			                AND ($7::timestamptz IS NULL OR m.verified_at < $7)
			           ELSE m.due AND NOT m.has_left END
			ORDER BY coalesce(m.verified_at, m.first_seen_at) DESC, m.subject
			LIMIT nullif($8, 0)
		)
		SELECT x.reason, count(*), count(*) FILTER (WHERE x.known AND x.reason IN ('retry', 'recheck')),
		       count(*) FILTER (WHERE x.reason = 'retry' AND x.state IN ('not_found', 'no_images'))
		FROM claimed AS x GROUP BY x.reason`,
		figures.Sync.LeftHeld == 0, append([]string{}, selection.UserIDs...), selection.Filtered(),
		selection.Failed || selection.FailedClass != store.ClassNone, selection.FailedClass, orNull(selection.Since), orNull(selection.Until), limit)
	if err != nil {
		return err
	}
	var reason store.DueReason
	var users, listings, unverified int64
	_, err = pgx.ForEachRow(rows, []any{&reason, &users, &listings, &unverified}, func() error {
		figures.Due[reason] = users
		figures.DueListings += listings
		figures.Unverified += unverified
		return nil
	})
	return err
}

func refuseUnknownIDs(ctx context.Context, tx pgx.Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT min(g.position)::integer AS first
		FROM unnest($1::text[]) WITH ORDINALITY AS g (user_id, position)
		WHERE NOT EXISTS (SELECT 1 FROM archive.subjects AS s WHERE s.user_id = g.user_id)
		  AND NOT EXISTS (SELECT 1 FROM pg_temp.source_users AS u WHERE u.user_id = g.user_id)
		GROUP BY g.user_id
		ORDER BY first`, ids)
	if err != nil {
		return err
	}
	return refusePositions(rows)
}

// historySample bounds how many of the last images the averages are taken from.
const historySample = 50_000

func countHistory(ctx context.Context, tx pgx.Tx, figures *store.PlanFigures) error {
	return tx.QueryRow(ctx, `
		SELECT coalesce(count(*)::float8 / nullif(count(DISTINCT i.subject), 0), 0), coalesce(avg(i.bytes), 0)::float8
		FROM (SELECT x.subject, x.bytes FROM archive.images AS x WHERE x.state = 'stored' ORDER BY x.image_id DESC LIMIT $1) AS i`,
		historySample).Scan(&figures.ImagesPerUser, &figures.BytesPerImage)
}
