// Package site runs what an archiver works with, for measurements: Postgres, an
// S3 server and a simulated tenant, each in processes of its own, so that the
// figures of a client are the client's alone.
package site

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/vlens/vlenstest"
)

// Site is a running company. Its owner stops it.
type Site struct {
	Dir      string // temporary: configuration, logs, and objects unless they are in memory
	memory   string // folder for objects in memory; "" when they are on disk
	Postgres *testservices.Postgres
	S3       *s3server.Server
	tenants  []*Tenant
}

// inMemory is a folder whose files are in memory, on Linux.
const inMemory = "/dev/shm"

// Options say how a site is set up.
type Options struct {
	// ObjectsInMemory keeps what the S3 server stores in memory where the system
	// has such a folder, so that no file system is the limit. There must be room
	// for it.
	ObjectsInMemory bool
}

// Start starts Postgres and the S3 server, both of which never sync to disk.
func Start(ctx context.Context, options Options) (*Site, error) {
	dir, err := os.MkdirTemp("", "vlens-archiver-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	s, objects := &Site{Dir: dir}, dir
	if info, err := os.Stat(inMemory); err == nil && info.IsDir() && options.ObjectsInMemory {
		if s.memory, err = os.MkdirTemp(inMemory, "vlens-archiver-bench-"); err != nil {
			return nil, errors.Join(fmt.Errorf("make a folder in memory: %w", err), s.Stop())
		}
		objects = s.memory
	}
	if s.Postgres, err = testservices.StartPostgres(ctx, testservices.PostgresOptions{}); err == nil {
		s.S3, err = s3server.Start(ctx, s3server.Options{Dir: filepath.Join(objects, "s3")})
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Stop ends all servers and removes what they kept.
func (s *Site) Stop() error {
	var failures []error
	for _, tenant := range s.tenants {
		failures = append(failures, tenant.Stop())
	}
	if s.S3 != nil {
		failures = append(failures, s.S3.Stop())
	}
	if s.Postgres != nil {
		failures = append(failures, s.Postgres.Stop())
	}
	if s.memory != "" {
		failures = append(failures, os.RemoveAll(s.memory))
	}
	return errors.Join(append(failures, os.RemoveAll(s.Dir))...)
}

// FillUsers makes a database with a table of the first n people of a tenant.
func (s *Site) FillUsers(ctx context.Context, database string, n int) error {
	if err := s.Postgres.CreateDatabase(ctx, database, ""); err != nil {
		return err
	}
	db, err := pgx.Connect(ctx, s.Postgres.URL(database))
	if err != nil {
		return fmt.Errorf("fill the users: %w", err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	if _, err := db.Exec(ctx, `CREATE TABLE users (id text PRIMARY KEY, email text, phone text, transaction_id text, verified_at timestamptz)`); err != nil {
		return fmt.Errorf("fill the users: %w", err)
	}

	const chunk = 10_000 // rows held at a time
	var rows bytes.Buffer
	out := csv.NewWriter(&rows)
	send := func() error {
		out.Flush()
		_, err := db.PgConn().CopyFrom(ctx, &rows, `COPY users FROM STDIN WITH (FORMAT csv)`)
		rows.Reset()
		return err
	}
	held := 0
	for person := range vlenstest.People(Seed, n) {
		// A write to memory does not fail.
		_ = out.Write([]string{person.ID, person.Email, person.Phone, person.TransactionID, person.VerifiedAt.Format(time.RFC3339)})
		if held++; held%chunk == 0 {
			if err := send(); err != nil {
				return fmt.Errorf("fill the users: %w", err)
			}
		}
	}
	err = send()
	if err == nil {
		_, err = db.Exec(ctx, `VACUUM ANALYZE users`)
	}
	if err != nil {
		return fmt.Errorf("fill the users: %w", err)
	}
	return nil
}
