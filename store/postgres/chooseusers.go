package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// positionsListed is how many positions of unknown ids an error lists.
const positionsListed = 20

// chooseUsers resolves a backfill's selection to users and puts them in the
// order in which they are claimed: the newest first.
func chooseUsers(ctx context.Context, tx pgx.Tx, run store.Run) error {
	choose := chooseGiven
	switch {
	case !run.Selection.Chosen():
		return nil
	case run.Selection.Filtered():
		choose = chooseFiltered
	}
	if err := choose(ctx, tx, run); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `ANALYZE archive.run_users`)
	return err
}

// chooseGiven orders the users whose ids were given with the run.
func chooseGiven(ctx context.Context, tx pgx.Tx, run store.Run) error {
	if err := refuseUnknownUsers(ctx, tx, run.ID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		UPDATE archive.run_users AS ru SET place = x.place
		FROM (SELECT s.user_id, row_number() OVER (ORDER BY coalesce(s.verified_at, s.first_seen_at) DESC, s.subject) AS place
		      FROM archive.run_users AS y JOIN archive.subjects AS s ON s.user_id = y.user_id
		      WHERE y.run_id = $1) AS x
		WHERE ru.run_id = $1 AND ru.user_id = x.user_id`, run.ID)
	return err
}

func refuseUnknownUsers(ctx context.Context, tx pgx.Tx, runID string) error {
	rows, err := tx.Query(ctx, `
		SELECT ru.given FROM archive.run_users AS ru
		WHERE ru.run_id = $1 AND ru.given IS NOT NULL
		  AND NOT EXISTS (SELECT 1 FROM archive.subjects AS s WHERE s.user_id = ru.user_id)
		ORDER BY ru.given`, runID)
	if err != nil {
		return err
	}
	return refusePositions(rows)
}

// refusePositions returns store.ErrSelection if there are rows. Each is the
// position, in the list that was given, of an id that no user has.
func refusePositions(rows pgx.Rows) error {
	positions, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(positions) == 0 {
		return err
	}
	return fmt.Errorf("%w: source.users_sql does not have %d of the users given, at position %s of the list",
		store.ErrSelection, len(positions), positionsText(positions))
}

// positionsText lists the first of the positions.
func positionsText(positions []int) string {
	listed := make([]string, 0, positionsListed)
	for _, position := range positions[:min(len(positions), positionsListed)] {
		listed = append(listed, fmt.Sprint(position))
	}
	text := strings.Join(listed, ", ")
	if len(positions) > positionsListed {
		text += " and others"
	}
	return text
}

// chooseFiltered selects by what the ledger knows after the merge. A user who
// has left is not selected, nor among the failed one whose failure a person has
// accepted; without any condition, everybody else is.
func chooseFiltered(ctx context.Context, tx pgx.Tx, run store.Run) error {
	filter := run.Selection
	_, err := tx.Exec(ctx, `
		INSERT INTO archive.run_users (run_id, user_id, place)
		SELECT $1, s.user_id, row_number() OVER (ORDER BY coalesce(s.verified_at, s.first_seen_at) DESC, s.subject)
		FROM archive.subjects AS s
		WHERE s.user_id IS NOT NULL AND s.left_at IS NULL
		  AND (NOT $2 OR s.state IN ('failed', 'partial') AND NOT EXISTS (SELECT 1 FROM archive.accepted AS a WHERE a.subject = s.subject))
		  AND ($3::text = '' OR s.last_class = $3)
		  AND ($4::timestamptz IS NULL OR s.verified_at >= $4)
		  AND ($5::timestamptz IS NULL OR s.verified_at < $5)`,
		run.ID, filter.Failed || filter.FailedClass != store.ClassNone, filter.FailedClass, orNull(filter.Since), orNull(filter.Until))
	return err
}
