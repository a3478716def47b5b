package testservices

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// shared is the one server of a test process. Main owns it.
var shared struct {
	once      sync.Once
	postgres  *Postgres
	err       error
	databases atomic.Int64
	main      atomic.Bool
}

// Main runs the tests of a package, a *testing.M, and then stops the server that
// DB started. It does not return. Use it as the whole TestMain of a package.
func Main(m interface{ Run() int }) {
	shared.main.Store(true)
	code := m.Run()
	if shared.postgres != nil {
		if err := shared.postgres.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the tests' postgres:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// DB returns the URL of a new empty database, dropped when the test ends. All
// tests of the process share one server, which starts with the first call.
func DB(t testing.TB) string {
	t.Helper()
	if !shared.main.Load() {
		t.Fatal("testservices.DB needs func TestMain(m *testing.M) { testservices.Main(m) }")
	}
	shared.once.Do(func() {
		shared.postgres, shared.err = StartPostgres(context.Background(), PostgresOptions{})
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	name := fmt.Sprintf("test%d", shared.databases.Add(1))
	if err := shared.postgres.CreateDatabase(t.Context(), name, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shared.postgres.DropDatabase(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	return shared.postgres.URL(name)
}
