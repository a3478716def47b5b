package main

import (
	"net/url"
	"strconv"
	"testing"

	"vlens-archiver/vlens/vlenstest"
)

// Two connections to each database do for everything, and fewer are refused
// before a command waits for itself.
func TestFewestConnections(t *testing.T) {
	t.Parallel()
	s := newSite(t, vlenstest.Options{People: 3})
	limit := func(key string, connections int) {
		t.Helper()
		database, err := url.Parse(s.env[key])
		if err != nil {
			t.Fatal(err)
		}
		query := database.Query()
		query.Set("pool_max_conns", strconv.Itoa(connections))
		database.RawQuery = query.Encode()
		s.env[key] = database.String()
	}
	limit("LEDGER_DATABASE_URL", 1)
	for _, command := range [][]string{{"migrate", "up"}, {"status"}} {
		s.run(command...).exits(exitInvalid).says("pool_max_conns in ledger.database_url must be at least 2")
	}
	limit("LEDGER_DATABASE_URL", 2)
	s.run("migrate", "up").exits(exitDone)
	limit("SOURCE_DATABASE_URL", 1)
	s.run("run").exits(exitInvalid).says("pool_max_conns in source.database_url must be at least 2")
	limit("SOURCE_DATABASE_URL", 2)
	s.run("run").exits(exitDone)
	s.run("status").exits(exitDone).prints("archived 3")
}
