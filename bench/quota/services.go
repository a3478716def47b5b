package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/vlens/vlenstest"
)

const bucketName = "bench"

// services are what the processes under measurement work with. Their owner
// stops them.
type services struct {
	dir      string // temporary: objects, configuration, logs
	postgres *testservices.Postgres
	s3       *s3server.Server
	tenant   *vlenstest.Server
	base     string // URL of the tenant
	leave    context.CancelFunc
	served   chan error
}

// start starts all servers. Also after an error, stop ends what was started.
func start(ctx context.Context) (*services, error) {
	s := &services{}
	var err error
	if s.dir, err = os.MkdirTemp("", "vlens-archiver-bench-"); err != nil {
		return s, fmt.Errorf("make a folder: %w", err)
	}
	if s.postgres, err = testservices.StartPostgres(ctx, testservices.PostgresOptions{}); err != nil {
		return s, err
	}
	for _, name := range []string{"company", "ledger"} {
		if err := s.postgres.CreateDatabase(ctx, name, ""); err != nil {
			return s, err
		}
	}
	if s.s3, err = s3server.Start(ctx, s3server.Options{Dir: s.dir}); err != nil {
		return s, err
	}
	if err := s.s3.CreateBucket(ctx, bucketName, s3server.Versioned); err != nil {
		return s, err
	}
	if err := s.startTenant(ctx); err != nil {
		return s, err
	}
	return s, s.fillUsers(ctx)
}

func (s *services) startTenant(ctx context.Context) error {
	tenant, err := vlenstest.New(vlenstest.Options{People: people, ImageBytes: imageBytes, Scenario: vlenstest.Scenario{
		Quota:   vlenstest.QuotaRules{Preset: "none", PerSecond: perSecond, PerMinute: perMinute, CountDenied: true},
		Latency: latency,
	}})
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve the simulated tenant: %w", err)
	}
	serving, leave := context.WithCancel(context.WithoutCancel(ctx))
	s.tenant, s.base, s.leave = tenant, "http://"+listener.Addr().String(), leave
	s.served = make(chan error, 1)
	go func() { s.served <- tenant.Serve(serving, listener) }()
	return nil
}

func (s *services) fillUsers(ctx context.Context) error {
	var rows bytes.Buffer
	if err := s.tenant.UsersCSV(&rows); err != nil {
		return err
	}
	db, err := pgx.Connect(ctx, s.postgres.URL("company"))
	if err != nil {
		return fmt.Errorf("fill the users: %w", err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	if _, err := db.Exec(ctx, `CREATE TABLE users (id text PRIMARY KEY, email text, phone text, transaction_id text, verified_at timestamptz)`); err != nil {
		return fmt.Errorf("fill the users: %w", err)
	}
	if _, err := db.PgConn().CopyFrom(ctx, &rows, `COPY users FROM STDIN WITH (FORMAT csv, HEADER true)`); err != nil {
		return fmt.Errorf("fill the users: %w", err)
	}
	return nil
}

// stop ends the servers and removes what they kept.
func (s *services) stop() error {
	var failures []error
	if s.leave != nil {
		s.leave()
		failures = append(failures, <-s.served)
	}
	if s.s3 != nil {
		failures = append(failures, s.s3.Stop())
	}
	if s.postgres != nil {
		failures = append(failures, s.postgres.Stop())
	}
	return errors.Join(append(failures, os.RemoveAll(s.dir))...)
}
