package testservices

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/testservices/child"
)

func (p *Postgres) initdb(ctx context.Context) error {
	args := []string{"-D", p.dataDir(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"}
	if !p.options.Durable {
		args = append(args, "--no-sync")
	}
	cmd := p.command(ctx, "initdb", args...)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(output))
	}
	return nil
}

var errPortTaken = errors.New("the port is taken")

// start tries again when the children of a postmaster that was killed still
// hold the data directory; they need a moment to notice.
func (p *Postgres) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		logStart := child.LogSize(p.logFile())
		err := p.startOnce(ctx)
		if err == nil {
			return nil
		}
		tail := child.LogTail(p.logFile(), logStart)
		if strings.Contains(tail, "Address already in use") {
			err = fmt.Errorf("%w: %w", errPortTaken, err)
		}
		if !strings.Contains(tail, "still in use") {
			return fmt.Errorf("start postgres: %w\n%s", err, tail)
		}
		select {
		case <-time.After(readyPoll):
		case <-ctx.Done():
			return fmt.Errorf("start postgres: %w\n%s", err, tail)
		}
	}
}

func (p *Postgres) startOnce(ctx context.Context) error {
	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the server has its own descriptor
	// The server outlives ctx, which only bounds the start.
	cmd := p.command(context.WithoutCancel(ctx), "postgres", p.serverArgs()...)
	cmd.Stdout, cmd.Stderr = log, log
	// SIGQUIT is an immediate shutdown: the postmaster takes its children along.
	p.process, err = child.Start(cmd, syscall.SIGQUIT)
	if err != nil {
		return err
	}
	if err := p.waitReady(ctx); err != nil {
		return errors.Join(err, p.process.Stop(syscall.SIGQUIT, stopTimeout))
	}
	return nil
}

func (p *Postgres) serverArgs() []string {
	port, listen := socketPort, ""
	if p.tcpPort != "" {
		port, listen = p.tcpPort, "127.0.0.1"
	}
	args := []string{"-D", p.dataDir(), "-k", p.socketDir, "-p", port}
	settings := []string{
		"listen_addresses=" + listen,
		"max_connections=300", // parallel tests, each with pools of its own
		"timezone=UTC",
		"jit=off",
	}
	if !p.options.Durable {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off",
			"wal_level=minimal", "max_wal_senders=0")
	}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

func (p *Postgres) waitReady(ctx context.Context) error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for {
		conn, err := pgx.Connect(ctx, p.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-poll.C:
		case <-p.process.Done():
			return errors.New("the server ended before it answered")
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", ctx.Err())
		}
	}
}

// command runs a program of the installation as the unprivileged account, with
// no environment that could lead it to another server's settings.
func (p *Postgres) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.binaries, program), args...)
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.account.credential()}
	return cmd
}
