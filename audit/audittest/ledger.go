package audittest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Edit changes the ledger as somebody would who may switch its triggers off.
// Arguments stand in the statements as $1, $2 and so on.
func (a *Archive) Edit(sql string, args ...any) {
	a.T.Helper()
	for n, arg := range args {
		sql = strings.ReplaceAll(sql, fmt.Sprintf("$%d", n+1), "'"+fmt.Sprint(arg)+"'")
	}
	a.ExecLedger(`DO $do$ BEGIN SET LOCAL session_replication_role = replica; ` + sql + `; END $do$`)
}

// Hold takes a lock in the ledger until the returned function is called.
func (a *Archive) Hold(lock string) (release func()) {
	a.T.Helper()
	conn, err := pgx.Connect(a.T.Context(), a.LedgerURL)
	if err != nil {
		a.T.Fatal(err)
	}
	release = sync.OnceFunc(func() { _ = conn.Close(context.WithoutCancel(a.T.Context())) })
	a.T.Cleanup(release)
	if _, err := conn.Exec(a.T.Context(), `BEGIN; `+lock); err != nil {
		a.T.Fatal(err)
	}
	return release
}

// Await waits until a count in the ledger is not 0.
func (a *Archive) Await(count string) {
	a.T.Helper()
	ctx, cancel := context.WithTimeout(a.T.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for a.Count(count) == 0 {
		select {
		case <-ctx.Done():
			a.T.Fatalf("nothing after a minute: %s", count)
		case <-tick.C:
		}
	}
}
