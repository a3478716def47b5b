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

// SourceColumns says which columns the user query has.
type SourceColumns struct {
	ID, Email, Phone, TransactionID, VerifiedAt bool

	idType        string // as SQL names it
	verifiedZoned bool   // verified_at is a timestamptz
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
	parameters := 0
	if setting == lookupSetting {
		parameters = 1
	}
	if got := len(description.ParamOIDs); got != parameters {
		return SourceColumns{}, fmt.Errorf("%w: %s has %d parameters and must have %d; the ids are $1 of %s, as in WHERE id = ANY($1)",
			store.ErrSource, setting, got, parameters, lookupSetting)
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
			columns.verifiedZoned = field.DataTypeOID == pgtype.TimestamptzOID
			if !slices.Contains(typesOfTimes, field.DataTypeOID) {
				return SourceColumns{}, fmt.Errorf("%w: verified_at of %s is no timestamp, date or text; convert it there", store.ErrSource, setting)
			}
		}
	}
	return columns, columns.suffice(setting, s.identifiers)
}

// typesOfTimes are those that verified_at may have.
var typesOfTimes = []uint32{
	pgtype.TimestamptzOID, pgtype.TimestampOID, pgtype.DateOID,
	pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.UnknownOID,
}

func typeName(ctx context.Context, conn *pgx.Conn, field pgconn.FieldDescription) (string, error) {
	var name string
	err := conn.QueryRow(ctx, `SELECT format_type($1, -1)`, field.DataTypeOID).Scan(&name)
	return name, err
}

func (c SourceColumns) suffice(setting string, identifiers []string) error {
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
	return nil
}

// The expressions below read a column, whatever its type; one that the query does
// not have reads as empty.

// identifiers are the expressions for email and phone, which are never NULL.
func (c SourceColumns) identifiers() (email, phone string) {
	email, phone = `''`, `''`
	if c.Email {
		email = `coalesce(u.email::text, '')`
	}
	if c.Phone {
		phone = `coalesce(u.phone::text, '')`
	}
	return email, phone
}

// transactionID is the expression for transaction_id in lower case, NULL when it
// is empty.
func (c SourceColumns) transactionID() string {
	if !c.TransactionID {
		return `NULL::text`
	}
	return `nullif(lower(btrim(u.transaction_id::text, E' \t\r\n') COLLATE "C"), '')`
}

// verifiedAt is the expression for verified_at as a time with zone, NULL when it
// is empty or no time of a verification. It needs readTextAsUTC.
func (c SourceColumns) verifiedAt() string {
	if !c.VerifiedAt {
		return `NULL::timestamptz`
	}
	return `CASE WHEN ` + c.isDate() + ` THEN ` + c.givenTime() + ` END`
}

// undated is the expression for whether verified_at is given and no time of a
// verification. It needs readTextAsUTC.
func (c SourceColumns) undated() string {
	if !c.VerifiedAt {
		return `false`
	}
	return `coalesce(NOT (` + c.isDate() + `), false)`
}

// isDate tells times of verifications from what programs write for "none":
// 0001-01-01 (.NET), 1900-01-01 (spreadsheets), 1970-01-01 (Unix), the infinities of
// Postgres. Nobody was verified before 2000, nor can a year of more than four digits
// be written in a record. NULL is unknown. The ledger's table has the same bounds.
func (c SourceColumns) isDate() string {
	at := c.givenTime()
	return at + ` >= '2000-01-01' AND ` + at + ` < '2200-01-01'`
}

// givenTime is verified_at as the query gives it, NULL when it is empty. Text may
// be a date of MySQL, whose zero is no date to Postgres.
func (c SourceColumns) givenTime() string {
	if c.verifiedZoned {
		return `u.verified_at`
	}
	text := `btrim(u.verified_at::text)`
	return `(CASE WHEN ` + text + ` LIKE '0000-%' THEN '-infinity' ELSE nullif(` + text + `, '') END)::timestamptz`
}

// readTextAsUTC has times without a zone read as UTC, in this transaction only.
func readTextAsUTC(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SET LOCAL timezone = 'UTC'`)
	return err
}

// uuidShape is a regular expression that Go and Postgres read alike.
const uuidShape = `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`
