package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"vlens-archiver/store"
)

// SQLSTATE codes and classes (PostgreSQL documentation, appendix A).
const (
	uniqueViolation       = "23505"
	undefinedTable        = "42P01"
	undefinedSchema       = "3F000"
	undefinedColumn       = "42703"
	insufficientPrivilege = "42501"
	lockNotAvailable      = "55P03"
	syntaxError           = "42601"
)

// refusedClass: the server does not let this user in.
const refusedClass = "28"

// passingClasses: connection trouble, lack of resources, an operator's
// intervention, a system error, and conflicts that a repetition solves.
var passingClasses = []string{"08", "53", "57", "58", "40"}

// speakingClasses: messages of these classes quote SQL and names of tables, never
// values of rows.
var speakingClasses = []string{"08", "0A", "25", "28", "3D", "3F", "42", "53", "55", "57", "58"}

var (
	// errConflictingHistory: what is to be added contradicts what is there.
	errConflictingHistory = errors.New("the ledger has another record or outcome in this place; compare it with the records in the bucket")
	errMissingEntries     = errors.New("entries of the log are missing in the ledger; restore it from a backup, or rebuild it from the bucket")
	errNoRun              = errors.New("there is no such run in this ledger")
	errBothSelections     = fmt.Errorf("%w: give user ids or a filter, not both", store.ErrSelection)
)

// failure says which database failed at what, and which sentinel of package
// store it is. Of the server's error it keeps code and message, the message
// only where it cannot quote a row; never detail, hint or parameters.
func failure(database, operation string, err error) error {
	if err == nil {
		return nil
	}
	if _, told := errors.AsType[*databaseError](err); told {
		return err
	}
	return &databaseError{failureOf(database, operation, err)}
}

// databaseError says already which database failed at what.
type databaseError struct{ error }

func (e *databaseError) Unwrap() error { return e.error }

func failureOf(database, operation string, err error) error {
	if refused, ok := asServerError(err); ok {
		return serverFailure(database, operation, refused)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s database: %s: %w", database, operation, contextError(err))
	}
	if stated(err) {
		return fmt.Errorf("%s database: %s: %w", database, operation, err)
	}
	if connect, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fmt.Errorf("%s database: %s: %w: %s; check %s.database_url and the network policy",
			database, operation, store.ErrUnavailable, oneLine(connect.Error()), database)
	}
	if lost(err) {
		return fmt.Errorf("%s database: %s: %w: the connection was lost", database, operation, store.ErrUnavailable)
	}
	// Errors of the driver about one value may quote the value.
	return fmt.Errorf("%s database: %s: unexpected failure (%T)", database, operation, rootOf(err))
}

// lost reports whether the connection broke.
func lost(err error) bool {
	_, network := errors.AsType[net.Error](err)
	_, system := errors.AsType[syscall.Errno](err)
	return network || system || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

func serverFailure(database, operation string, refused *pgconn.PgError) error {
	class := refused.Code[:min(2, len(refused.Code))]
	said := "SQLSTATE " + refused.Code
	if slices.Contains(speakingClasses, class) {
		said = fmt.Sprintf("%s (%s)", refused.Message, said)
	}
	switch {
	case class == refusedClass, refused.Code == insufficientPrivilege:
		return fmt.Errorf("%s database: %s: %w: %s; check user, password and grants of %s.database_url",
			database, operation, store.ErrDenied, said, database)
	case slices.Contains(passingClasses, class):
		return fmt.Errorf("%s database: %s: %w: %s", database, operation, store.ErrUnavailable, said)
	case database == ledgerName && slices.Contains([]string{undefinedTable, undefinedSchema, undefinedColumn}, refused.Code):
		return fmt.Errorf("%s database: %s: %w: %s; run `vlens-archiver migrate up`", database, operation, store.ErrSchema, said)
	default:
		return fmt.Errorf("%s database: %s: %s", database, operation, said)
	}
}

// stated reports whether the error already says what is wrong.
func stated(err error) bool {
	return slices.ContainsFunc([]error{
		store.ErrLeaseLost, store.ErrProcessLost, store.ErrForeignArchive, store.ErrSource, store.ErrSchema,
		store.ErrSelection, store.ErrRunMismatch, store.ErrNotEmpty, store.ErrDenied, store.ErrUnavailable, store.ErrNotFound,
		errConflictingHistory, errMissingEntries, errNoRun,
	}, func(sentinel error) bool { return errors.Is(err, sentinel) })
}

func contextError(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return context.DeadlineExceeded
}

func asServerError(err error) (*pgconn.PgError, bool) { return errors.AsType[*pgconn.PgError](err) }

// hasCode reports whether the server refused with this SQLSTATE.
func hasCode(err error, code string) bool {
	refused, ok := asServerError(err)
	return ok && refused.Code == code
}

func rootOf(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
