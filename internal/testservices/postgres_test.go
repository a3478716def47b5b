package testservices_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/testservices"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	first, second := connect(t, testservices.DB(t)), connect(t, testservices.DB(t))
	exec(t, first, "CREATE TABLE only_here (id int)")
	var found bool
	if err := second.QueryRow(t.Context(), "SELECT to_regclass('only_here') IS NOT NULL").Scan(&found); err != nil {
		t.Fatal(err)
	}
	if found {
		t.Fatal("a table of one database is in another")
	}
}

func start(t *testing.T, options testservices.PostgresOptions) *testservices.Postgres {
	t.Helper()
	began := time.Now()
	server, err := testservices.StartPostgres(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("ready after %s", time.Since(began).Round(time.Millisecond))
	return server
}

func TestDataSurvivesRestarts(t *testing.T) {
	t.Parallel()
	for name, durable := range map[string]bool{"fast": false, "durable": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t, testservices.PostgresOptions{Dir: t.TempDir(), Durable: durable})
			exec(t, connect(t, server.URL("postgres")), "CREATE TABLE kept AS SELECT 7 AS n; CHECKPOINT")

			stops := []struct {
				name string
				stop func() error
			}{
				{"restart", func() error { return nil }},
				{"crash", func() error { return syscall.Kill(server.Pid(), syscall.SIGQUIT) }},
				{"kill", func() error { return syscall.Kill(server.Pid(), syscall.SIGKILL) }},
			}
			for _, s := range stops {
				if err := s.stop(); err != nil {
					t.Fatal(s.name, err)
				}
				if err := server.Restart(t.Context()); err != nil {
					t.Fatal(s.name, err)
				}
				var n int
				if err := connect(t, server.URL("postgres")).QueryRow(t.Context(), "SELECT n FROM kept").Scan(&n); err != nil || n != 7 {
					t.Fatalf("after %s: got %d, %v", s.name, n, err)
				}
			}
		})
	}
}

func TestTemplateAndTCP(t *testing.T) {
	t.Parallel()
	server := start(t, testservices.PostgresOptions{TCP: true})
	ctx := t.Context()
	if err := server.CreateDatabase(ctx, "model \"x\"", ""); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, server.URL("model \"x\""))
	if err != nil {
		t.Fatal(err)
	}
	exec(t, conn, "CREATE TABLE copied AS SELECT 1 AS n")
	if err := conn.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := server.CreateDatabase(ctx, "copy", "model \"x\""); err != nil {
		t.Fatal(err)
	}
	exec(t, connect(t, "postgres://postgres@"+server.Addr()+"/copy"), "SELECT n FROM copied")
	if err := server.DropDatabase(ctx, "copy"); err != nil {
		t.Fatal(err)
	}
	if conn, err := pgx.Connect(ctx, server.URL("copy")); err == nil {
		_ = conn.Close(ctx)
		t.Fatal("a dropped database is still there")
	}
}

func TestFailedStartShowsTheLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := start(t, testservices.PostgresOptions{Dir: dir})
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "postgresql.conf"), []byte("no_such_setting = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := testservices.StartPostgres(t.Context(), testservices.PostgresOptions{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Fatalf("the error does not carry the server's words: %v", err)
	}
}
