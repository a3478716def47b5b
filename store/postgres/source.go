package postgres

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

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
	// LookupTimeout bounds one statement of a look-up on the server; 0 is two minutes.
	LookupTimeout time.Duration
	// Identifiers are those of "phone" and "email" that will be used.
	Identifiers []string
}

// Source reads the company's users, and only reads.
type Source struct {
	database
	usersSQL, lookupSQL string
	lookupTimeout       time.Duration
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
		database:      database,
		usersSQL:      bareSQL(config.UsersSQL),
		lookupSQL:     bareSQL(config.LookupSQL),
		lookupTimeout: cmp.Or(config.LookupTimeout, lookupTimeout),
		identifiers:   config.Identifiers,
	}, nil
}

// Close closes the connections.
func (s *Source) Close() { s.pool.Close() }

// statementEnd matches semicolons at the end of a statement, with white space and
// comments behind them. A text with a quote or a dollar is not matched: the
// semicolon may be part of a literal or a name.
var statementEnd = regexp.MustCompile(`;(?:[\s;]|--[^\n'"$]*(?:\n|$)|/\*[^'"$]*?\*/)*$`)

// bareSQL is the statement without semicolons at its end, which cannot be inside
// parentheses.
func bareSQL(sql string) string {
	return statementEnd.ReplaceAllStringFunc(sql, func(end string) string { return strings.ReplaceAll(end, ";", "") })
}

// asTable makes a query usable in FROM. It stands on lines of its own, so that
// a comment at its end does not swallow the parenthesis.
func asTable(sql string) string { return "(\n" + sql + "\n) AS u" }

// unusable says that the query itself is at fault, unless the database is. The
// server's message is kept only where it cannot quote a row. A query that was
// cancelled takes longer than the transaction allows: each sets its own
// statement_timeout.
func unusable(setting string, err error) error {
	refused, ok := asServerError(err)
	if !ok {
		return err
	}
	refusal := refusalBy(sourceName, refused)
	if refusal.kind != nil {
		return err
	}
	fault := refusal.message(refused)
	if !refusal.quotable {
		fault = fmt.Sprintf("%s (SQLSTATE %s)", rowFault(refused.Code), refused.Code)
	}
	switch refused.Code {
	case syntaxError:
		fault += "; it must be one SELECT"
	case queryCanceled:
		fault += "; it takes too long, or somebody cancels it: make it faster, for look-ups by source.lookup_sql"
	}
	return fmt.Errorf("%w: %s: %s", store.ErrSource, setting, fault)
}

// rowFault stands for a message that may quote a row.
func rowFault(code string) string {
	switch {
	case code == "22007" || code == "22008":
		return "some value cannot be read as a time; look at verified_at"
	case code == "22P02":
		return "some value cannot be converted to the type asked for"
	case strings.HasPrefix(code, "22"):
		return "it cannot be computed for some value"
	}
	return "the database refuses it"
}
