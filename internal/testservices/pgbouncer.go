package testservices

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/testservices/child"
)

// PgBouncer is a running pooler before a Postgres.
type PgBouncer struct {
	dir     string
	port    string
	process *child.Process
}

// PgBouncerForTest starts PgBouncer with a pool_mode (session, transaction or
// statement) before the server; it ends with the test. Every role is let in as
// postgres.
func PgBouncerForTest(t testing.TB, server *Postgres, mode string) *PgBouncer {
	t.Helper()
	b, err := startPgBouncer(t.Context(), server, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := b.process.Stop(syscall.SIGINT, stopTimeout)
		if err = errors.Join(err, os.RemoveAll(b.dir)); err != nil {
			t.Error(err)
		}
	})
	return b
}

// URL is the connection string of a database through the pooler.
func (b *PgBouncer) URL(database string) string {
	query := url.Values{"host": {b.dir}, "port": {b.port}, "user": {"postgres"}}
	return "postgres:///" + url.PathEscape(database) + "?" + query.Encode()
}

func startPgBouncer(ctx context.Context, server *Postgres, mode string) (*PgBouncer, error) {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // not in everybody's PATH
		if _, err := os.Stat(program); err != nil {
			return nil, fmt.Errorf("no PgBouncer found: install it (Debian: apt install pgbouncer): %w", err)
		}
	}
	dir, err := os.MkdirTemp("", "pgb")
	if err != nil {
		return nil, fmt.Errorf("make directory of PgBouncer: %w", err)
	}
	// The port is but a part of the socket's name: the directory has one of its own.
	b := &PgBouncer{dir: dir, port: socketPort}
	if err := b.start(ctx, program, server, mode); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

func (b *PgBouncer) start(ctx context.Context, program string, server *Postgres, mode string) error {
	serverPort := socketPort
	if server.tcpPort != "" {
		serverPort = server.tcpPort
	}
	settings := fmt.Sprintf(`[databases]
* = host=%s port=%s user=postgres
[pgbouncer]
listen_addr =
listen_port = %s
unix_socket_dir = %s
auth_type = any
pool_mode = %s
`, server.socketDir, serverPort, b.port, b.dir, mode)
	config := filepath.Join(b.dir, "pgbouncer.ini")
	if err := errors.Join(os.WriteFile(config, []byte(settings), 0o644), server.account.own(b.dir)); err != nil {
		return fmt.Errorf("set up PgBouncer: %w", err)
	}
	log, err := os.Create(filepath.Join(b.dir, "pgbouncer.log"))
	if err != nil {
		return fmt.Errorf("set up PgBouncer: %w", err)
	}
	defer func() { _ = log.Close() }() // the pooler has its own descriptor
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, config)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: server.account.credential()}
	if b.process, err = child.Start(cmd, syscall.SIGKILL); err != nil {
		return err
	}
	if err := b.waitReady(ctx); err != nil {
		return fmt.Errorf("start PgBouncer: %w\n%s", errors.Join(err, b.process.Stop(syscall.SIGKILL, stopTimeout)), child.LogTail(log.Name(), 0))
	}
	return nil
}

func (b *PgBouncer) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, b.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-time.After(readyPoll):
		case <-b.process.Done():
			return errors.New("it ended before it answered")
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", ctx.Err())
		}
	}
}
