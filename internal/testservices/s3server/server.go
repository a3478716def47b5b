// Package s3server runs the real S3 server of tests and the demo, which is the
// program in internal/testservices/versitygw. It is a process of its own, because
// a test must be able to kill it while it works, and versitygw changes the working
// directory, prints to standard output and allows one instance per process.
package s3server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vlens-archiver/internal/testservices/child"
)

const (
	startTimeout = 20 * time.Second
	stopTimeout  = 10 * time.Second
)

// Options says how a server is set up.
type Options struct {
	// Dir keeps the objects and s3server.log, on a file system with extended
	// attributes. What a former server left there is served again.
	Dir string
	// AccessKey and SecretKey are the only account; there are defaults for tests.
	AccessKey, SecretKey string
	// Addr is host and port; empty means a free port of 127.0.0.1.
	Addr string
}

// Region is the only region the server signs for.
const Region = "us-east-1"

// Server is a running server.
type Server struct {
	options Options
	process *child.Process
}

// Start starts a server and waits until it accepts requests.
func Start(ctx context.Context, options Options) (*Server, error) {
	options.AccessKey = cmp.Or(options.AccessKey, "test-access-key")
	options.SecretKey = cmp.Or(options.SecretKey, "test-secret-key")
	dir, err := filepath.Abs(options.Dir)
	if err != nil {
		return nil, fmt.Errorf("locate S3 directory: %w", err)
	}
	options.Dir = dir
	if options.Addr != "" {
		s := &Server{options: options}
		return s, s.start(ctx)
	}
	return startAnywhere(ctx, options)
}

// startAnywhere tries again when another program took the free port first.
func startAnywhere(ctx context.Context, options Options) (*Server, error) {
	var failures error
	for range child.PortAttempts {
		addr, err := child.FreeAddr(ctx)
		if err != nil {
			return nil, err
		}
		options.Addr = addr.String()
		s := &Server{options: options}
		err = s.start(ctx)
		if err == nil {
			return s, nil
		}
		failures = errors.Join(failures, err)
		if !strings.Contains(err.Error(), syscall.EADDRINUSE.Error()) {
			break
		}
	}
	return nil, failures
}

// ForTest starts a server that ends with the test.
func ForTest(t testing.TB) *Server {
	t.Helper()
	s, err := Start(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Endpoint is the URL of the server.
func (s *Server) Endpoint() string { return "http://" + s.options.Addr }

// AccessKey is the id of the account.
func (s *Server) AccessKey() string { return s.options.AccessKey }

// SecretKey is the secret of the account.
func (s *Server) SecretKey() string { return s.options.SecretKey }

// Stop kills the server. What it has answered for is kept in the directory.
func (s *Server) Stop() error { return s.process.Stop(syscall.SIGKILL, stopTimeout) }

// Restart kills the server, if it still runs, and starts it with the same data
// on the same port.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(); err != nil {
		return fmt.Errorf("stop S3 server: %w", err)
	}
	return s.start(ctx)
}

func (s *Server) start(ctx context.Context) error {
	if err := os.MkdirAll(s.options.Dir, 0o700); err != nil {
		return fmt.Errorf("make S3 directory: %w", err)
	}
	logFile := filepath.Join(s.options.Dir, "s3server.log")
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open S3 log: %w", err)
	}
	defer func() { _ = log.Close() }() // the server has its own descriptor
	logStart := child.LogSize(logFile)

	if err := s.launch(ctx, log); err != nil {
		return fmt.Errorf("start S3 server: %w\n%s", errors.Join(err, s.Stop()), child.LogTail(logFile, logStart))
	}
	return nil
}

// launch returns when the server has said on a pipe that it listens. Connecting
// would not do: another server may have the port.
func (s *Server) launch(ctx context.Context, log *os.File) error {
	program, err := child.Program(ctx, "versitygw")
	if err != nil {
		return err
	}
	options, err := json.Marshal(s.options)
	if err != nil {
		return fmt.Errorf("encode options: %w", err)
	}
	ready, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = ready.Close() }()

	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, string(options)) // Stop ends it
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{tell}
	s.process, err = child.Start(cmd, syscall.SIGKILL)
	_ = tell.Close() // the server has its own; its end is then the end of the pipe
	if err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	unwatch := context.AfterFunc(ctx, func() { _ = ready.SetReadDeadline(time.Unix(1, 0)) })
	defer unwatch()
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("the server does not listen: %w", ctx.Err())
		}
		return errors.New("the server ended before it listened")
	}
	return nil
}
