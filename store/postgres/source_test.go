package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	for name, c := range map[string]struct {
		sql  string
		says string // of the error
	}{
		"all":                 {sql: usersSQL},
		"with and comment":    {sql: "WITH x AS (SELECT 1 AS id, '' AS email, '' AS phone) SELECT * FROM x -- the users"},
		"semicolon":           {sql: "SELECT 1 AS id, '' AS email, '' AS phone ; \n"},
		"semicolon, comment":  {sql: "SELECT 1 AS id, '' AS email, '' AS phone; -- all of them; really"},
		"semicolon, comments": {sql: "SELECT 1 AS id, '' AS email, '' AS phone ;; /* all;\nof them */\n-- really\n"},
		"semicolon in a name": {sql: `SELECT 1 AS id, '' AS email, '' AS phone FROM (SELECT 1) AS t ("; -- x") GROUP BY "; -- x"`},
		"no id":               {sql: "SELECT '' AS email, '' AS phone", says: "no column id"},
		"no identifier":       {sql: "SELECT 1 AS id, '' AS email", says: "no column phone"},
		"parameter":           {sql: "SELECT $1::int AS id, '' AS email, '' AS phone", says: "has 1 parameters and must have 0"},
		"syntax":              {sql: "SELEC 1", says: "syntax error"},
		"two statements":      {sql: "SELECT 1 AS id; SELECT 2", says: "syntax error"},
		"no select":           {sql: "DELETE FROM app.users RETURNING id, email, phone", says: "syntax error"},
		"no table":            {sql: "SELECT id, email, phone FROM app.nobody", says: `relation "app.nobody" does not exist`},
		"verified_at wrong":   {sql: "SELECT 1 AS id, '' AS email, '' AS phone, 7 AS verified_at", says: "verified_at"},
	} {
		t.Run(name, func(t *testing.T) {
			source, err := postgres.OpenSource(t.Context(), postgres.SourceConfig{URL: s.url, UsersSQL: c.sql, Identifiers: []string{"phone", "email"}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(source.Close)
			columns, err := source.Describe(t.Context())
			switch {
			case c.says != "":
				if !errors.Is(err, store.ErrSource) || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("%v, want %q", err, c.says)
				}
			case err != nil:
				t.Fatal(err)
			case !columns.ID || !columns.Email || !columns.Phone:
				t.Fatalf("%+v", columns)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.exec(t, `CREATE TABLE app.people (
		uid uuid PRIMARY KEY, number bigint, name varchar(20), code char(6), email text, phone text, transaction_id uuid, verified_at timestamp)`)
	const first, second = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
	s.exec(t, `INSERT INTO app.people VALUES ($1, 7, 'seven', 'c7', 'a@b.example', NULL, '6F1C1F9E-0000-4000-8000-000000000001', '2026-01-02 03:04:05'), ($2, 8, 'ei"g\ht', 'c8', NULL, '+201', NULL, NULL)`, first, second)

	for name, c := range map[string]struct {
		users, lookup string
		ids           []string
	}{
		"uuid":           {users: "SELECT uid AS id, email, phone, transaction_id, verified_at FROM app.people", ids: []string{first, second}},
		"bigint":         {users: "SELECT number AS id, email, phone, transaction_id, verified_at FROM app.people", ids: []string{"7", "8"}},
		"varchar":        {users: "SELECT name AS id, email, phone, transaction_id, verified_at FROM app.people", ids: []string{"seven", `ei"g\ht`}},
		"char":           {users: "SELECT code AS id, email, phone, transaction_id, verified_at FROM app.people", ids: []string{"c7", "c8"}},
		"text of uuid":   {users: "SELECT uid::text AS id, email, phone, transaction_id, verified_at FROM app.people -- all", ids: []string{first, second}},
		"lookup uuid":    {users: "SELECT 1", lookup: "SELECT uid AS id, email, phone, transaction_id, verified_at FROM app.people WHERE uid = ANY($1);", ids: []string{first, second}},
		"lookup bigint":  {users: "SELECT 1", lookup: "SELECT number AS id, email, phone, transaction_id, verified_at FROM app.people WHERE number = ANY($1)", ids: []string{"7", "8"}},
		"lookup text":    {users: "SELECT 1", lookup: "SELECT uid::text AS id, email, phone, transaction_id, verified_at FROM app.people WHERE uid::text = ANY($1::text[]) -- x", ids: []string{first, second}},
		"verified texts": {users: "SELECT number AS id, email, phone, transaction_id, verified_at::text FROM app.people", ids: []string{"7", "8"}},
	} {
		t.Run(name, func(t *testing.T) {
			source, err := postgres.OpenSource(t.Context(), postgres.SourceConfig{URL: s.url, UsersSQL: c.users, LookupSQL: c.lookup, Identifiers: []string{"phone", "email"}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(source.Close)
			users, err := source.Lookup(t.Context(), append([]string{}, c.ids...))
			if err != nil || len(users) != 2 {
				t.Fatalf("%d users, %v", len(users), err)
			}
			want := store.User{
				ID: c.ids[0], Email: "a@b.example", TransactionID: "6f1c1f9e-0000-4000-8000-000000000001",
				VerifiedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			}
			if got := users[c.ids[0]]; got != want {
				t.Errorf("%#v, want %#v", got, want)
			}
			if got := users[c.ids[1]]; got.Phone.Reveal() != "+201" || got.Email != "" || !got.VerifiedAt.IsZero() {
				t.Errorf("%#v", got)
			}
		})
	}
}

// What a look-up query must be is for the database to say.
func TestLookupRefuses(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	for name, c := range map[string]struct{ sql, says string }{
		"two statements":         {"SELECT 1 AS id, '' AS phone WHERE 1 = ANY($1::int[]); SELECT 2", "syntax error"},
		"no select":              {"DELETE FROM app.users WHERE id = ANY($1) RETURNING id, phone", "syntax error"},
		"parameter in a text":    {"SELECT '$1' AS id, '' AS phone", "has 0 parameters and must have 1"},
		"parameter in a comment": {"SELECT 1 AS id, '' AS phone -- $1", "has 0 parameters and must have 1"},
		"parameter in a name":    {"SELECT u.a$1 AS id, '' AS phone FROM (SELECT 1 AS a$1) AS u", "has 0 parameters and must have 1"},
		"another parameter":      {"SELECT 1 AS id, '' AS phone WHERE $2 = 1 AND '1' = ANY($1::text[])", "has 2 parameters and must have 1"},
	} {
		t.Run(name, func(t *testing.T) {
			source, err := postgres.OpenSource(t.Context(), postgres.SourceConfig{URL: s.url, UsersSQL: "SELECT 1", LookupSQL: c.sql, Identifiers: []string{"phone"}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(source.Close)
			_, err = source.Lookup(t.Context(), []string{"1"})
			if !errors.Is(err, store.ErrSource) || !strings.Contains(err.Error(), "source.lookup_sql") || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v, want %q", err, c.says)
			}
		})
	}
}

// An index on the ids is used, whatever their type.
func TestLookupUsesIndex(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	s.exec(t, `CREATE TABLE app.many (id bigint PRIMARY KEY, email text, phone text)`)
	s.exec(t, `INSERT INTO app.many SELECT g, '', '' FROM generate_series(1, 20000) AS g`)
	s.exec(t, `ANALYZE app.many`)
	s.useSource(t, postgres.SourceConfig{UsersSQL: "SELECT id, email, phone FROM app.many", Identifiers: []string{"phone"}})
	if users, err := s.source.Lookup(t.Context(), []string{"1", "20000"}); err != nil || len(users) != 2 {
		t.Fatal(users, err)
	}
	// The counters of a session reach the server's when it ends.
	s.source.Close()
	read := func() int64 {
		return s.count(t, `SELECT coalesce(seq_tup_read, 0) FROM pg_stat_user_tables WHERE schemaname = 'app' AND relname = 'many'`)
	}
	if n := read(); n > 0 {
		t.Fatalf("a look-up of two users read %d rows in sequence", n)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	s := newServices(t)
	// A role that may log in and nothing else.
	s.exec(t, `DO $$ BEGIN CREATE ROLE nobody_here LOGIN PASSWORD 'sesame-1'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	t.Cleanup(func() { s.exec(t, `DROP ROLE IF EXISTS nobody_here`) })
	for name, c := range map[string]struct {
		url  store.Sensitive
		want error
	}{
		"no URL":         {"postgres://u:sesame-1@h:notaport/x", store.ErrDatabaseURL},
		"one connection": {"postgres://u:sesame-1@127.0.0.1:1/x?pool_max_conns=1", store.ErrDatabaseURL},
		"nobody there":   {"postgres://u:sesame-1@127.0.0.1:1/x", store.ErrUnavailable},
		"not permitted":  {withUser(t, s.url, "nobody_here", "sesame-1"), store.ErrDenied},
	} {
		t.Run(name, func(t *testing.T) {
			ledger, err := postgres.OpenLedger(t.Context(), c.url)
			if err == nil {
				defer ledger.Close()
				err = ledger.OpenArchive(t.Context(), store.ArchiveIdentity{})
			}
			if err == nil || !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if strings.Contains(err.Error(), "sesame") || !strings.Contains(err.Error(), "ledger") {
				t.Fatalf("the error must name the database and no password: %v", err)
			}
		})
	}
}
