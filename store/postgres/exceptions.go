package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/store"
)

// ExceptionBatch is how many users one statement is of at most: it is read whole.
const ExceptionBatch = 10_000

// AddExceptions enters a person's act about the users chosen, ExceptionBatch of
// them at most, and returns how many they are. state writes the statement of it,
// first, and completes the rows with its key and hash: a process that dies in
// between leaves a statement without rows, which EnterExceptions enters. An error
// of state is returned as it is.
//
// Users about whom the act says nothing new are passed over and counted in
// already. A user chosen by id about whom nothing can be said makes it
// store.ErrSelection, and nothing is entered of anybody.
func (l *Ledger) AddExceptions(ctx context.Context, act store.Exception, choice store.ExceptionChoice, state func(context.Context, []store.Exception) error) (added, already int, err error) {
	var unstated error
	err = l.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if act.At, err = lockExceptions(ctx, tx); err != nil {
			return err
		}
		exceptions, passed, err := chooseExceptions(ctx, tx, act, choice)
		if added, already = len(exceptions), passed; err != nil || added == 0 {
			return err
		}
		if unstated = state(ctx, exceptions); unstated != nil {
			return unstated
		}
		return enterExceptions(ctx, tx, exceptions)
	})
	if unstated != nil {
		return 0, 0, unstated
	}
	return added, already, l.failed("enter exceptions", err)
}

// EnterExceptions enters exceptions of a statement that stands in the bucket, if
// the ledger has none of that statement, and reports whether it did.
func (l *Ledger) EnterExceptions(ctx context.Context, exceptions []store.Exception) (entered bool, err error) {
	err = l.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := lockExceptions(ctx, tx); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT NOT EXISTS (SELECT 1 FROM archive.exceptions AS e WHERE e.audit_key = $1)`, exceptions[0].AuditKey).Scan(&entered); err != nil || !entered {
			return err
		}
		return enterExceptions(ctx, tx, exceptions)
	})
	return entered && err == nil, l.failed("enter exceptions of a statement", err)
}

// ExceptionStatements are the keys of the statements whose rows the ledger has.
func (l *Ledger) ExceptionStatements(ctx context.Context) (map[string]bool, error) {
	keys := make(map[string]bool)
	rows, err := l.pool.Query(ctx, `SELECT DISTINCT e.audit_key FROM archive.exceptions AS e`)
	if err == nil {
		var key string
		_, err = pgx.ForEachRow(rows, []any{&key}, func() error { keys[key] = true; return nil })
	}
	return keys, l.failed("list statements of exceptions", err)
}

// exceptionsLock is an arbitrary number that only this program uses. The lock makes
// one act wait for another, so that nothing is said twice, and ends with its
// transaction.
const exceptionsLock = 0x616363657074

// lockExceptions takes the lock and gives the time, to the millisecond that a
// statement has.
func lockExceptions(ctx context.Context, tx pgx.Tx) (time.Time, error) {
	var now time.Time
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(exceptionsLock)); err != nil {
		return now, err
	}
	err := tx.QueryRow(ctx, `SELECT date_trunc('milliseconds', clock_timestamp())`).Scan(&now)
	return now.UTC(), err
}

// enterExceptions writes the rows, lets the statement wait for its place in the
// log, and sets when the users are asked for again.
func enterExceptions(ctx context.Context, tx pgx.Tx, exceptions []store.Exception) error {
	if err := copyExceptions(ctx, tx, exceptions); err != nil {
		return err
	}
	first := exceptions[0]
	if _, err := tx.Exec(ctx, `INSERT INTO archive.log_waiting (sha256, kind, key) VALUES ($1, 'statement', $2)`, first.AuditSHA256, first.AuditKey); err != nil {
		return err
	}
	// Users whom somebody works on now are passed over: that attempt sets it.
	_, err := tx.Exec(ctx, acceptedAgainSQL+` AND s.subject = ANY (ARRAY(
		SELECT y.subject FROM archive.subjects AS y
		WHERE y.subject IN (SELECT a.subject FROM archive.accepted AS a WHERE a.audit_key = $2) AND y.lease_process IS NULL
		FOR UPDATE OF y SKIP LOCKED))`, store.AcceptedAgain.Seconds(), first.AuditKey)
	return err
}

// acceptedAgainSQL puts off those who wait for another try.
const acceptedAgainSQL = `
	UPDATE archive.subjects AS s SET next_due_at = greatest(s.next_due_at, now() + make_interval(secs => $1))
	WHERE s.due_reason = 'retry'`

func copyExceptions(ctx context.Context, tx pgx.Tx, exceptions []store.Exception) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"archive", "exceptions"}, exceptionColumns, pgx.CopyFromSlice(len(exceptions), func(n int) ([]any, error) {
		e := exceptions[n]
		return []any{e.Subject, e.Transaction, orNull(e.VerifiedAt), e.Class, e.Act, e.Reason, e.Actor, e.At, e.AuditKey, e.AuditSHA256}, nil
	}))
	return err
}

var exceptionColumns = []string{
	"subject", "transaction_id", "verified_at", "class", "act", "reason", "actor", "at", "audit_key", "audit_sha256",
}

// Accepted are the exceptions that hold now, the newest first.
func (l *Ledger) Accepted(ctx context.Context) ([]store.StandingException, error) {
	rows, err := l.pool.Query(ctx, acceptedSQL+` ORDER BY a.at DESC, a.subject`)
	if err != nil {
		return nil, l.failed("list exceptions", err)
	}
	standing, err := pgx.CollectRows(rows, scanStanding)
	return standing, l.failed("list exceptions", err)
}

// acceptedSQL selects what scanStanding reads: the exceptions a that hold.
const acceptedSQL = `
	SELECT coalesce(a.user_id, ''), a.subject, a.transaction_id, a.verified_at, a.class, 'accepted', a.reason, a.actor, a.at, a.audit_key, ''
	FROM archive.accepted AS a`

func scanStanding(row pgx.CollectableRow) (s store.StandingException, err error) {
	s.Exception, err = scanException(row, &s.UserID)
	return s, err
}

// acceptedCountSQL counts the users about whom an exception holds, of those whom the
// source has.
const acceptedCountSQL = `SELECT count(*) FROM archive.accepted AS a JOIN archive.subjects AS s ON s.subject = a.subject WHERE s.left_at IS NULL`

// scanException reads the columns of exceptionColumns, after those of before.
func scanException(row pgx.CollectableRow, before ...any) (store.Exception, error) {
	var e store.Exception
	var verified *time.Time
	err := row.Scan(append(before, &e.Subject, &e.Transaction, &verified, &e.Class, &e.Act, &e.Reason, &e.Actor, &e.At, &e.AuditKey, &e.AuditSHA256)...)
	e.VerifiedAt, e.At = orZero(verified), e.At.UTC()
	return e, err
}

func exceptionsSQL(alias string) string {
	return alias + "." + strings.Join(exceptionColumns, ", "+alias+".")
}
