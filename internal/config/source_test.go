package config_test

import (
	"strconv"
	"strings"
	"testing"

	"vlens-archiver/internal/config"
)

func TestUsersSQL(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql  string
		good bool
	}{
		"plain":             {"SELECT 1", true},
		"lower case":        {"select 1", true},
		"with":              {"WITH u AS (SELECT 1) SELECT * FROM u", true},
		"semicolon":         {"SELECT 1 ;\n\t", true},
		"comment first":     {"-- users; all\n/* a; /* nested; */ b */ SELECT 1", true},
		"parameter":         {"SELECT $1::text", true},
		"cast":              {"SELECT id::text AS id, email, phone FROM users WHERE a <> '--'", true},
		"empty":             {"", false},
		"only a comment":    {"-- SELECT 1", false},
		"open comment":      {"/* SELECT 1", false},
		"only a semicolon":  {";", false},
		"semicolon first":   {"; SELECT 1", false},
		"another statement": {"UPDATE users SET id = 1", false},
		"longer word":       {"SELECTED", false},
		"in parentheses":    {"(SELECT 1)", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := replace(t, "source:\n", "source:\n  users_sql: "+strconv.Quote(c.sql)+"\n")
			cfg, err := config.Parse("c.yaml", []byte(text), noEnv)
			if !c.good {
				if err == nil || !strings.Contains(err.Error(), "c.yaml:2:14: source.users_sql: ") {
					t.Fatalf("accepted, or another problem: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if cfg.Source.UsersSQL != c.sql {
				t.Fatalf("got %q, want %q", cfg.Source.UsersSQL, c.sql)
			}
		})
	}
}

func TestLookupSQL(t *testing.T) {
	t.Parallel()
	text := replace(t, "source:\n", "source:\n  lookup_sql: SELECT id, email, phone FROM u WHERE id = ANY($1);\n")
	if got := parse(t, text, noEnv).Source.LookupSQL; got != "SELECT id, email, phone FROM u WHERE id = ANY($1);" {
		t.Errorf("got %q", got)
	}
	for _, sql := range []string{"SELECT 1", "SELECT $10", "UPDATE u SET id = $1"} {
		_, err := config.Parse("c.yaml", []byte(replace(t, "source:\n", "source:\n  lookup_sql: "+strconv.Quote(sql)+"\n")), noEnv)
		if err == nil || !strings.Contains(err.Error(), "source.lookup_sql: ") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
