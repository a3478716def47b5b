package config_test

import (
	"strconv"
	"strings"
	"testing"

	"vlens-archiver/internal/config"
)

func TestUsersSQL(t *testing.T) {
	t.Parallel()
	const same = "\x00same"
	for name, c := range map[string]struct{ sql, want string }{
		"plain":                      {"SELECT 1", same},
		"lower case":                 {"select 1", same},
		"with":                       {"WITH u AS (SELECT 1) SELECT * FROM u", same},
		"trailing semicolon":         {"SELECT 1;", "SELECT 1"},
		"semicolon and space":        {"SELECT 1 ;\n\t", "SELECT 1"},
		"semicolon and comment":      {"SELECT 1; -- done; really", "SELECT 1"},
		"comment first":              {"-- users; all\n/* a; /* nested; */ b */ SELECT 1", same},
		"in single quotes":           {"SELECT ';' ", "SELECT ';'"},
		"doubled quote":              {"SELECT 'it''s;'", same},
		"backslash is plain":         {`SELECT 'a\' || ';'`, same},
		"escape string":              {`SELECT E'a\';b''c\';'`, same},
		"in double quotes":           {`SELECT ";""" FROM t`, same},
		"in dollar quotes":           {"SELECT $$;$$, $a$ $$;$b$ $a$", same},
		"dollar in a name":           {"SELECT a$b$ FROM t", same},
		"parameter":                  {"SELECT $1::text", same},
		"cast":                       {"SELECT id::text AS id, email, phone FROM users WHERE a <> '--'", same},
		"two statements":             {"SELECT 1; DROP TABLE users", ""},
		"after an escape string":     {`SELECT E'\\'; DROP TABLE users --'`, ""},
		"after a plain backslash":    {`SELECT 'a\'; DROP TABLE users --'`, ""},
		"after a nested comment":     {"SELECT 1 /* /* */ */; DROP TABLE users", ""},
		"after dollar quotes":        {"SELECT $a$ $b$ $a$; DROP TABLE users -- $b$", ""},
		"name ends in e before text": {`SELECT type'a\'; DROP TABLE users --'`, ""},
		"open quote":                 {"SELECT 'x", ""},
		"open name":                  {`SELECT "x`, ""},
		"open comment":               {"SELECT 1 /* /* */", ""},
		"open dollar quote":          {"SELECT $x$ $y$", ""},
		"only a comment":             {"-- SELECT 1", ""},
		"only a semicolon":           {";", ""},
		"semicolon first":            {"; SELECT 1", ""},
		"another statement":          {"UPDATE users SET id = 1", ""},
		"longer word":                {"SELECTED", ""},
		"in parentheses":             {"(SELECT 1)", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := replace(t, "source:\n", "source:\n  users_sql: "+strconv.Quote(c.sql)+"\n")
			cfg, err := config.Parse("c.yaml", []byte(text), noEnv)
			if c.want == "" {
				if err == nil || !strings.Contains(err.Error(), "c.yaml:2:14: source.users_sql: ") {
					t.Fatalf("accepted, or another problem: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			if want == same {
				want = c.sql
			}
			if cfg.Source.UsersSQL != want {
				t.Fatalf("got %q, want %q", cfg.Source.UsersSQL, want)
			}
		})
	}
}

func TestLookupSQL(t *testing.T) {
	t.Parallel()
	text := replace(t, "source:\n", "source:\n  lookup_sql: SELECT id, email, phone FROM u WHERE id = ANY($1);\n")
	if got := parse(t, text, noEnv).Source.LookupSQL; got != "SELECT id, email, phone FROM u WHERE id = ANY($1)" {
		t.Errorf("got %q", got)
	}
	for _, sql := range []string{"SELECT '$1'", "SELECT 1 -- $1", "SELECT $10", "SELECT a$1"} {
		_, err := config.Parse("c.yaml", []byte(replace(t, "source:\n", "source:\n  lookup_sql: "+strconv.Quote(sql)+"\n")), noEnv)
		if err == nil || !strings.Contains(err.Error(), "source.lookup_sql: ") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
