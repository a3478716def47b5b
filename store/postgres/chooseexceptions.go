package postgres

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// verificationSQL is the newest verification of the user s, as archive.accepted
// compares it: its transaction; or what the user's row says, the transaction and when
// the user was verified, where no listing named that, or where what is missing is
// the name.
const verificationSQL = `coalesce(CASE WHEN s.newest_transaction = '' OR s.last_class IN ('no_transaction', 'shared_transaction', 'no_identifier')
	THEN s.transaction_id::text ELSE s.newest_transaction END, ''),
	CASE WHEN s.newest_transaction = '' OR s.last_class IN ('no_transaction', 'shared_transaction', 'no_identifier') THEN s.verified_at END`

// chooseExceptions are the rows of the act, and how many users it says nothing new
// about.
func chooseExceptions(ctx context.Context, tx pgx.Tx, act store.Exception, choice store.ExceptionChoice) ([]store.Exception, int, error) {
	if len(choice.UserIDs) > 0 {
		return chooseByID(ctx, tx, act, choice.UserIDs)
	}
	if !choice.Class.Settled() {
		return nil, 0, fmt.Errorf("%w: %s may pass by itself; what can be accepted is %s", store.ErrSelection, choice.Class, store.SettledNames())
	}
	accepted := act.Act == store.ExceptionWithdrawn // whom the act is about
	var already int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM archive.accepted AS a WHERE a.class = $1 AND NOT $2`, choice.Class, accepted).Scan(&already); err != nil {
		return nil, 0, err
	}
	rows, err := tx.Query(ctx, `
		SELECT s.subject, `+verificationSQL+`
		FROM archive.subjects AS s
		WHERE s.state IN ('failed', 'partial') AND s.last_class = $1 AND s.settled
		  AND EXISTS (SELECT 1 FROM archive.accepted AS a WHERE a.subject = s.subject) = $2
		ORDER BY s.subject LIMIT $3`, choice.Class, accepted, ExceptionBatch)
	if err != nil {
		return nil, 0, err
	}
	exceptions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (store.Exception, error) {
		e := act
		var verified *time.Time
		err := row.Scan(&e.Subject, &e.Transaction, &verified)
		e.Class = choice.Class
		e.VerifiedAt = orZero(verified)
		return e, err
	})
	return exceptions, already, err
}

// chooseByID looks at each of the users, and refuses all if there is one about
// whom the act cannot be.
func chooseByID(ctx context.Context, tx pgx.Tx, act store.Exception, ids []string) ([]store.Exception, int, error) {
	if len(ids) > ExceptionBatch {
		return nil, 0, fmt.Errorf("%w: %d users are given, and one statement is of %d at most", store.ErrSelection, len(ids), ExceptionBatch)
	}
	rows, err := tx.Query(ctx, `
		SELECT g.position, coalesce(s.subject, ''), coalesce(s.state, ''), coalesce(s.last_class, ''), `+verificationSQL+`,
		       EXISTS (SELECT 1 FROM archive.accepted AS a WHERE a.subject = s.subject), coalesce(s.settled, false)
		FROM (SELECT x.user_id, min(x.position)::integer AS position FROM unnest($1::text[]) WITH ORDINALITY AS x (user_id, position) GROUP BY x.user_id) AS g
		LEFT JOIN archive.subjects AS s ON s.user_id = g.user_id
		ORDER BY g.position`, ids)
	if err != nil {
		return nil, 0, err
	}
	var exceptions []store.Exception
	var already, position int
	var state store.State
	var verified *time.Time
	var accepted, settled bool
	misfit := make(misfits)
	e := act
	_, err = pgx.ForEachRow(rows, []any{&position, &e.Subject, &state, &e.Class, &e.Transaction, &verified, &accepted, &settled}, func() error {
		failing := state == store.StateFailed || state == store.StatePartial
		switch {
		case e.Subject == "":
			misfit.add(position, "unknown to the ledger, which has the ids of source.users_sql as of the last run")
		case act.Act == store.ExceptionWithdrawn && !accepted:
			misfit.add(position, "without an exception that holds")
		case act.Act == store.ExceptionAccepted && !failing:
			misfit.add(position, fmt.Sprintf("%s; only what failed and partial users lack can be accepted", state))
		case act.Act == store.ExceptionAccepted && !e.Class.Settled():
			misfit.add(position, fmt.Sprintf("failing with %s, which may pass by itself; what can be accepted is %s", e.Class, store.SettledNames()))
		case act.Act == store.ExceptionAccepted && !settled && e.Class == store.ClassGone:
			misfit.add(position, "failing with gone, which is believed when Vlens says it again, twenty hours after the first time")
		case act.Act == store.ExceptionAccepted && !settled:
			misfit.add(position, fmt.Sprintf("failing with %s, which may pass this time", e.Class))
		case act.Act == store.ExceptionAccepted && accepted:
			already++
		default:
			e.VerifiedAt = orZero(verified)
			exceptions = append(exceptions, e)
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	slices.SortFunc(exceptions, func(a, b store.Exception) int { return cmp.Compare(a.Subject, b.Subject) })
	return exceptions, already, misfit.err()
}

// misfits are the positions, in the list that was given, of users about whom an
// act cannot be, by what they are.
type misfits map[string][]int

func (r misfits) add(position int, what string) { r[what] = append(r[what], position) }

// err is store.ErrSelection if there are any. It does not repeat what was given.
func (r misfits) err() error {
	if len(r) == 0 {
		return nil
	}
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(r)) {
		lines = append(lines, fmt.Sprintf("%d of the users given, at position %s of the list: %s", len(r[what]), positionsText(r[what]), what))
	}
	return fmt.Errorf("%w: nothing was written: %s", store.ErrSelection, strings.Join(lines, "; "))
}
