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

	mu        sync.Mutex
	templates map[string]bool // databases that CopiedDB copies
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
	return newDB(t, "")
}

// CopiedDB is DB with what fill puts into a database. Fill is called once for a
// name: the tests get copies of its database, and it must leave no connection.
func CopiedDB(t testing.TB, name string, fill func(ctx context.Context, url string) error) string {
	t.Helper()
	if err := makeTemplate(t.Context(), sharedPostgres(t), name, fill); err != nil {
		t.Fatal(err)
	}
	return newDB(t, name)
}

func makeTemplate(ctx context.Context, server *Postgres, name string, fill func(ctx context.Context, url string) error) error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.templates[name] {
		return nil
	}
	if err := server.CreateDatabase(ctx, name, ""); err != nil {
		return err
	}
	if err := fill(ctx, server.URL(name)); err != nil {
		return err
	}
	if shared.templates == nil {
		shared.templates = make(map[string]bool)
	}
	shared.templates[name] = true
	return nil
}

func newDB(t testing.TB, template string) string {
	t.Helper()
	server := sharedPostgres(t)
	name := fmt.Sprintf("test%d", shared.databases.Add(1))
	if err := server.CreateDatabase(t.Context(), name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.DropDatabase(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	return server.URL(name)
}

func sharedPostgres(t testing.TB) *Postgres {
	t.Helper()
	if !shared.main.Load() {
		t.Fatal("a database of testservices needs func TestMain(m *testing.M) { testservices.Main(m) }")
	}
	shared.once.Do(func() {
		shared.postgres, shared.err = StartPostgres(context.Background(), PostgresOptions{})
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.postgres
}
