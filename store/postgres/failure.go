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

var (
	// errConflictingHistory: what is to be added contradicts what is there.
	errConflictingHistory = fmt.Errorf("%w: the ledger has another record or outcome in this place; compare it with the records in the bucket", store.ErrValueRefused)
	errMissingEntries     = errors.New("entries of the log are missing in the ledger; restore it from a backup, or rebuild it from the bucket")
	errSubjectTaken       = errors.New("the subjects of new users belong to other users already; check archive.subject_key")
	errNoRun              = errors.New("there is no such run in this ledger")
	errBothSelections     = fmt.Errorf("%w: give user ids or a filter, not both", store.ErrSelection)
)

// ownErrors say themselves what is wrong, and quote no value of a row.
var ownErrors = []error{
	store.ErrLeaseLost, store.ErrProcessLost, store.ErrForeignArchive, store.ErrSource, store.ErrSchema,
	store.ErrSelection, store.ErrRunMismatch, store.ErrNotEmpty, store.ErrDenied, store.ErrUnavailable, store.ErrNotFound,
	store.ErrValueRefused,
	errConflictingHistory, errMissingEntries, errSubjectTaken, errNoRun,
}

// place is a database as errors name it.
type place struct {
	name string // "source" or "ledger", as in the configuration
	host string // and port; "" when it is not known
}

// failure says which database failed at what, and which sentinel of package
// store it is. An error that says so already stays as it is.
func failure(at place, operation string, err error) error {
	if err == nil {
		return nil
	}
	if _, done := errors.AsType[*databaseError](err); done {
		return err
	}
	return &databaseError{fmt.Errorf("%s database: %s: %w", at.name, operation, cause(at, err))}
}

// databaseError is an error that failure made.
type databaseError struct{ error }

func (e *databaseError) Unwrap() error { return e.error }

// cause is the error behind one of the driver, with its sentinel and without
// what the driver may quote. The driver wraps one kind in another: a failed login
// is an error of connecting and a refusal by the server, and so is a time limit for
// connecting, which is none of the caller's. The kind that says most comes first.
func cause(at place, err error) error {
	refused, byServer := asServerError(err)
	connecting, whileConnecting := errors.AsType[*pgconn.ConnectError](err)
	switch {
	case byServer:
		return serverCause(at, refused)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case whileConnecting:
		return fmt.Errorf("%w: %s; check %s.database_url and the network policy", store.ErrUnavailable, oneLine(connecting.Error()), at.name)
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case slices.ContainsFunc(ownErrors, func(own error) bool { return errors.Is(err, own) }):
		return err
	case connectionBroke(err):
		return fmt.Errorf("%w: the connection to %s was lost", store.ErrUnavailable, at.host)
	default:
		// Errors of the driver about one value may quote the value.
		return fmt.Errorf("%w: unexpected failure (%T)", store.ErrValueRefused, rootOf(err))
	}
}

func serverCause(at place, refused *pgconn.PgError) error {
	r := refusalBy(at.name, refused)
	text := r.message(refused) + r.advice(at.name, refused.Code)
	switch {
	case r.kind == nil:
		return errors.New(text)
	case errors.Is(r.kind, store.ErrUnavailable):
		return fmt.Errorf("%w: %s: %s", r.kind, at.host, text)
	}
	return fmt.Errorf("%w: %s", r.kind, text)
}

func connectionBroke(err error) bool {
	_, network := errors.AsType[net.Error](err)
	_, system := errors.AsType[syscall.Errno](err)
	return network || system || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

func rootOf(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
