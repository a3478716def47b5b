package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"vlens-archiver/store"
)

const sourceName = "source"

// SourceConfig says where the company's users are.
type SourceConfig struct {
	URL store.Sensitive
	// UsersSQL is one SELECT with the columns id, email and phone, and
	// optionally transaction_id and verified_at. A column that is no configured
	// identifier may be missing.
	UsersSQL string
	// LookupSQL, when set, has the same columns for the ids in $1, an array.
	LookupSQL string
	// Identifiers are those of "phone" and "email" that will be used.
	Identifiers []string
}

// Source reads the company's users, and only reads.
type Source struct {
	database
	usersSQL, lookupSQL string
	identifiers         []string
}

// OpenSource connects to the database of the users. Errors:
// store.ErrUnavailable, store.ErrDenied.
func OpenSource(ctx context.Context, config SourceConfig) (*Source, error) {
	database, err := openDatabase(ctx, sourceName, config.URL)
	if err != nil {
		return nil, err
	}
	return &Source{
		database:    database,
		usersSQL:    bareSQL(config.UsersSQL),
		lookupSQL:   bareSQL(config.LookupSQL),
		identifiers: config.Identifiers,
	}, nil
}

// Close closes the connections.
func (s *Source) Close() { s.pool.Close() }

// bareSQL is the statement without what cannot stand inside parentheses.
func bareSQL(sql string) string {
	return strings.TrimRight(strings.TrimSpace(sql), "; \t\r\n")
}

// asTable makes a query usable in FROM. It stands on lines of its own, so that
// a comment at its end does not swallow the parenthesis.
func asTable(sql string) string { return "(\n" + sql + "\n) AS u" }

// SourceColumns says which columns the user query has.
type SourceColumns struct {
	ID, Email, Phone, TransactionID, VerifiedAt bool

	idType           string // as SQL names it
	verifiedIsText   bool
	verifiedIsZoned  bool
	verifiedHasOther bool // neither text nor a time: a column we cannot use
}

// Describe asks the server what the user query gives, without running it. A
// query that is no single SELECT, lacks id or a configured identifier, or has a
// verified_at that is no time is store.ErrSource.
func (s *Source) Describe(ctx context.Context) (SourceColumns, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return SourceColumns{}, s.failed("read user query", err)
	}
	defer conn.Release()
	columns, err := s.describe(ctx, conn.Conn(), "source.users_sql", s.usersSQL)
	return columns, s.failed("read user query", err)
}

func (s *Source) describe(ctx context.Context, conn *pgx.Conn, setting, sql string) (SourceColumns, error) {
	// The one star: which columns there are is the question.
	description, err := conn.PgConn().Prepare(ctx, "", "SELECT u.* FROM "+asTable(sql), nil)
	if err != nil {
		return SourceColumns{}, unusable(setting, err)
	}
	var columns SourceColumns
	for _, field := range description.Fields {
		switch field.Name {
		case "id":
			columns.ID = true
			columns.idType, err = typeName(ctx, conn, field)
			if err != nil {
				return SourceColumns{}, err
			}
		case "email":
			columns.Email = true
		case "phone":
			columns.Phone = true
		case "transaction_id":
			columns.TransactionID = true
		case "verified_at":
			columns.VerifiedAt = true
			columns.setVerifiedType(field.DataTypeOID)
		}
	}
	return columns, columns.suffice(setting, s.identifiers)
}

func (c *SourceColumns) setVerifiedType(oid uint32) {
	switch oid {
	case pgtype.TimestamptzOID:
		c.verifiedIsZoned = true
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.UnknownOID:
		c.verifiedIsText = true
	case pgtype.TimestampOID, pgtype.DateOID:
	default:
		c.verifiedHasOther = true
	}
}

func (c *SourceColumns) suffice(setting string, identifiers []string) error {
	var missing []string
	if !c.ID {
		missing = append(missing, "id")
	}
	if !c.Email && slices.Contains(identifiers, "email") {
		missing = append(missing, "email")
	}
	if !c.Phone && slices.Contains(identifiers, "phone") {
		missing = append(missing, "phone")
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %s has no column %s; add it, with AS if it has another name",
			store.ErrSource, setting, strings.Join(missing, " and "))
	}
	if c.verifiedHasOther {
		return fmt.Errorf("%w: verified_at of %s is no timestamp, date or text; convert it there", store.ErrSource, setting)
	}
	return nil
}

func typeName(ctx context.Context, conn *pgx.Conn, field pgconn.FieldDescription) (string, error) {
	var name string
	err := conn.QueryRow(ctx, `SELECT format_type($1, -1)`, field.DataTypeOID).Scan(&name)
	return name, err
}

// verifiedAt is the expression for verified_at as a time with zone. Times
// without a zone are UTC.
func (c SourceColumns) verifiedAt() string {
	switch {
	case !c.VerifiedAt:
		return `NULL::timestamptz`
	case c.verifiedIsZoned:
		return `u.verified_at`
	case c.verifiedIsText:
		return `nullif(btrim(u.verified_at::text), '')::timestamptz`
	default:
		return `(u.verified_at::timestamp AT TIME ZONE 'UTC')`
	}
}

func (c SourceColumns) transactionID() string {
	if !c.TransactionID {
		return `NULL::text`
	}
	return `u.transaction_id::text`
}

// prepareSession makes times in text read as UTC, for this transaction only.
func (c SourceColumns) prepareSession(ctx context.Context, tx pgx.Tx) error {
	if !c.verifiedIsText {
		return nil
	}
	_, err := tx.Exec(ctx, `SET LOCAL timezone = 'UTC'`)
	return err
}

// unusable says that the query itself is at fault, unless the connection is. The
// server's message is kept only where it cannot quote a row.
func unusable(setting string, err error) error {
	refused, ok := asServerError(err)
	if !ok || slices.Contains(passingClasses, refused.Code[:min(2, len(refused.Code))]) || refused.Code == insufficientPrivilege {
		return err
	}
	said := "the database refuses it"
	switch class := refused.Code[:min(2, len(refused.Code))]; {
	case slices.Contains(speakingClasses, class):
		said = refused.Message
	case refused.Code == "22007" || refused.Code == "22008":
		said = "some value cannot be read as a time; look at verified_at"
	case refused.Code == "22P02":
		said = "some value cannot be converted to the type asked for"
	case class == "22":
		said = "it cannot be computed for some value"
	}
	said += " (SQLSTATE " + refused.Code + ")"
	if refused.Code == syntaxError {
		said += "; it must be one SELECT"
	}
	return fmt.Errorf("%w: %s: %s", store.ErrSource, setting, said)
}
