package postgres

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"vlens-archiver/store"
)

// SQLSTATE codes that are asked for by name.
const (
	serializationFailure = "40001"
	readOnlyTransaction  = "25006"
	uniqueViolation      = "23505"
	syntaxError          = "42601"
	queryCanceled        = "57014"
)

// refusal is what it means that a server refuses a statement or a connection.
type refusal struct {
	// kind is the sentinel to wrap; nil when the message has to do.
	kind error
	// quotable: messages speak of SQL, names and services, never of values in rows.
	quotable bool
	// ledgerOnly: at the source the kind does not hold. Tables and values are the
	// company's there, and all transactions only read: it is the query that does not
	// fit.
	ledgerOnly bool
}

// refusals has a row for each SQLSTATE, or class of them (the first two
// characters), that this program knows (PostgreSQL documentation, appendix A).
// What the row of a code says holds, else what that of its class says; of the
// rest nothing is known, and no message is shown.
var refusals = map[string]refusal{
	"08":    {kind: store.ErrUnavailable, quotable: true},                   // connection exception; whatever a pooler refuses
	"0A":    {quotable: true},                                               // feature not supported
	"22":    {kind: store.ErrValueRefused, ledgerOnly: true},                // data exception
	"23":    {kind: store.ErrValueRefused, ledgerOnly: true},                // integrity constraint violation
	"25":    {quotable: true},                                               // invalid transaction state
	"25006": {kind: store.ErrUnavailable, quotable: true, ledgerOnly: true}, // read only: a standby, or a primary that is being replaced
	"25P03": {kind: store.ErrUnavailable, quotable: true},                   // the session was idle in its transaction for too long
	"28":    {kind: store.ErrDenied, quotable: true},                        // invalid authorization
	"3D":    {quotable: true},                                               // no such database
	"3F":    {quotable: true},                                               // invalid schema name
	"3F000": {kind: store.ErrSchema, quotable: true, ledgerOnly: true},      // no such schema
	"40":    {kind: store.ErrUnavailable, quotable: true},                   // transaction rollback: a conflict that a repetition solves
	"42":    {quotable: true},                                               // syntax error or access rule violation
	"42501": {kind: store.ErrDenied, quotable: true},                        // insufficient privilege
	"42703": {kind: store.ErrSchema, quotable: true, ledgerOnly: true},      // no such column
	"42P01": {kind: store.ErrSchema, quotable: true, ledgerOnly: true},      // no such table
	"53":    {kind: store.ErrUnavailable, quotable: true},                   // insufficient resources
	"55":    {quotable: true},                                               // object not in prerequisite state
	"55P03": {kind: store.ErrLocked, quotable: true},                        // no lock within lock_timeout
	"57":    {kind: store.ErrUnavailable, quotable: true},                   // operator intervention
	"57014": {quotable: true},                                               // the statement was cancelled, most often by statement_timeout
	"58":    {kind: store.ErrUnavailable, quotable: true},                   // system error
}

// refusalBy reads the table for one of the databases.
func refusalBy(database string, refused *pgconn.PgError) refusal {
	r, known := refusals[refused.Code]
	if !known && len(refused.Code) > 2 {
		r = refusals[refused.Code[:2]]
	}
	if r.ledgerOnly && database != ledgerName {
		r.kind = nil
	}
	return r
}

// message is what may be shown of the server's answer: never detail, hint or
// parameters.
func (r refusal) message(refused *pgconn.PgError) string {
	if !r.quotable {
		return "SQLSTATE " + refused.Code
	}
	return fmt.Sprintf("%s (SQLSTATE %s)", refused.Message, refused.Code)
}

// advice is what to do about a refusal, for its text.
func (r refusal) advice(database, code string) string {
	switch {
	case errors.Is(r.kind, store.ErrDenied):
		return "; check user, password and grants of " + database + ".database_url"
	case errors.Is(r.kind, store.ErrSchema):
		return "; run `vlens-archiver migrate up`"
	case errors.Is(r.kind, store.ErrLocked):
		return "; another session holds what is needed: pg_blocking_pids() says which"
	case code == readOnlyTransaction && database == ledgerName:
		return "; it is a standby, or a primary that is being replaced: if that lasts, name the primary in " + database + ".database_url"
	case code == serializationFailure && database == sourceName:
		return "; on a read replica set hot_standby_feedback = on there, or raise max_standby_streaming_delay"
	case code == queryCanceled:
		return "; raise statement_timeout for the role of " + database + ".database_url, or find out who cancels its statements"
	}
	return ""
}

func asServerError(err error) (*pgconn.PgError, bool) { return errors.AsType[*pgconn.PgError](err) }

// hasCode reports whether the server refused with this SQLSTATE.
func hasCode(err error, code string) bool {
	refused, ok := asServerError(err)
	return ok && refused.Code == code
}
