package testservices

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/testservices/child"
)

const (
	startTimeout = 20 * time.Second
	stopTimeout  = 10 * time.Second
	readyPoll    = 10 * time.Millisecond
	socketPort   = "5432"
)

// PostgresOptions says how a server is set up. The zero value is a server in a
// temporary directory, reached by its socket only, that does not survive a
// crash of the machine.
type PostgresOptions struct {
	// Dir keeps the data and postgres.log. A directory that holds data already
	// is used as it is. Empty means a temporary directory that Stop removes.
	Dir string
	// Durable leaves fsync on, as in production.
	Durable bool
	// TCP also listens on a free port of 127.0.0.1, without a password. For
	// proxies that cannot speak to a socket.
	TCP bool
}

// Postgres is a running server. Its only role is the superuser "postgres".
type Postgres struct {
	options   PostgresOptions
	binaries  string // directory of initdb and postgres
	account   *account
	dir       string
	socketDir string // ours to remove; short, because a socket path has 107 bytes at most
	tcpPort   string // "" without TCP
	process   *child.Process
}

// StartPostgres sets up a server and waits until it answers.
func StartPostgres(ctx context.Context, options PostgresOptions) (*Postgres, error) {
	binaries, err := findPostgres(ctx)
	if err != nil {
		return nil, err
	}
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	p := &Postgres{options: options, binaries: binaries, account: account}
	if err := p.setUp(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// URL is the connection string of a database, over the socket.
func (p *Postgres) URL(database string) string {
	query := url.Values{"host": {p.socketDir}, "port": {socketPort}, "user": {"postgres"}}
	if p.tcpPort != "" {
		query.Set("port", p.tcpPort)
	}
	return "postgres:///" + url.PathEscape(database) + "?" + query.Encode()
}

// Addr is the host and port for TCP; "" when the server was started without.
func (p *Postgres) Addr() string {
	if p.tcpPort == "" {
		return ""
	}
	return net.JoinHostPort("127.0.0.1", p.tcpPort)
}

// Pid is the process id of the postmaster. Killing it is a crash; Restart
// brings the server back.
func (p *Postgres) Pid() int { return p.process.Pid() }

// CreateDatabase makes a database as a copy of template, or an empty one when
// template is "".
func (p *Postgres) CreateDatabase(ctx context.Context, name, template string) error {
	if template == "" {
		template = "template0"
	}
	create := "CREATE DATABASE " + quoted(name) + " TEMPLATE " + quoted(template)
	if err := p.exec(ctx, create); err != nil {
		return fmt.Errorf("create database %q: %w", name, err)
	}
	return nil
}

// DropDatabase removes a database and ends the sessions in it.
func (p *Postgres) DropDatabase(ctx context.Context, name string) error {
	if err := p.exec(ctx, "DROP DATABASE IF EXISTS "+quoted(name)+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("drop database %q: %w", name, err)
	}
	return nil
}

// Restart stops the server, if it still runs, and starts it on the same data,
// socket and port.
func (p *Postgres) Restart(ctx context.Context) error {
	if err := p.process.Stop(syscall.SIGINT, stopTimeout); err != nil {
		return fmt.Errorf("stop postgres: %w", err)
	}
	return p.start(ctx)
}

// Stop ends the server and all sessions, and removes what is temporary.
func (p *Postgres) Stop() error {
	err := p.process.Stop(syscall.SIGINT, stopTimeout)
	if p.socketDir != "" {
		err = errors.Join(err, os.RemoveAll(p.socketDir))
	}
	return err
}

func (p *Postgres) setUp(ctx context.Context) error {
	if err := p.makeDirectories(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(p.dataDir(), "PG_VERSION")); errors.Is(err, os.ErrNotExist) {
		if err := p.initdb(ctx); err != nil {
			return err
		}
	}
	var err error
	for range child.PortAttempts {
		if err = p.choosePort(ctx); err != nil {
			return err
		}
		if err = p.start(ctx); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}

// choosePort finds a free port for TCP. Somebody else may take it before the
// server does.
func (p *Postgres) choosePort(ctx context.Context) error {
	if !p.options.TCP {
		return nil
	}
	addr, err := child.FreeAddr(ctx)
	if err != nil {
		return err
	}
	p.tcpPort = strconv.Itoa(addr.Port)
	return nil
}

func (p *Postgres) makeDirectories() error {
	var err error
	p.socketDir, err = os.MkdirTemp("", "pg")
	if err != nil {
		return fmt.Errorf("make socket directory: %w", err)
	}
	p.dir = p.options.Dir
	if p.dir == "" {
		p.dir = filepath.Join(p.socketDir, "server") // removed with it
	}
	p.dir, err = filepath.Abs(p.dir)
	if err != nil {
		return fmt.Errorf("locate server directory: %w", err)
	}
	if err := os.MkdirAll(p.dataDir(), 0o700); err != nil {
		return fmt.Errorf("make server directory: %w", err)
	}
	for _, dir := range []string{p.socketDir, p.dir, p.dataDir()} {
		if err := p.account.own(dir); err != nil {
			return err
		}
	}
	return p.account.letThrough(p.dataDir())
}

func (p *Postgres) dataDir() string { return filepath.Join(p.dir, "data") }
func (p *Postgres) logFile() string { return filepath.Join(p.dir, "postgres.log") }

func (p *Postgres) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }
