package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
)

const (
	bucketName = "bench"
	subjectKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" // 32 bytes in base64
)

// services keep the archive. Their owner stops them.
type services struct {
	dir      string // temporary: objects, configuration
	postgres *testservices.Postgres
	s3       *s3server.Server
	bucket   *bucket.Bucket
	layout   manifest.Layout
	photo    []byte
	images   int
	bytes    int64 // of images
}

// start starts the servers with an empty archive. Also after an error, stop ends
// what was started.
func start(ctx context.Context) (*services, error) {
	s := &services{layout: manifest.Layout{Prefix: "vlens"}}
	var err error
	if s.photo, err = photograph(); err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "vlens-archiver-bench-"); err != nil {
		return s, fmt.Errorf("make a folder: %w", err)
	}
	if s.postgres, err = testservices.StartPostgres(ctx, testservices.PostgresOptions{}); err != nil {
		return s, err
	}
	if err := s.postgres.CreateDatabase(ctx, "ledger", ""); err != nil {
		return s, err
	}
	if _, err := postgres.Migrate(ctx, store.Sensitive(s.postgres.URL("ledger")), postgres.Up); err != nil {
		return s, err
	}
	if s.s3, err = s3server.Start(ctx, s3server.Options{Dir: s.dir}); err != nil {
		return s, err
	}
	if err := s.s3.CreateBucket(ctx, bucketName, s3server.Versioned); err != nil {
		return s, err
	}
	if s.bucket, err = bucket.Open(ctx, bucket.Config{
		Bucket: bucketName, Region: s3server.Region, Endpoint: s.s3.Endpoint(), ForcePathStyle: true,
		AccessKey: s.s3.AccessKey(), SecretKey: store.Sensitive(s.s3.SecretKey()),
	}); err != nil {
		return s, err
	}
	if err := os.WriteFile(s.config(), fmt.Appendf(nil, configText, bucketName, s3server.Region, s.s3.Endpoint(), subjectKey, parallel), 0o600); err != nil {
		return s, fmt.Errorf("write the configuration: %w", err)
	}
	return s, s.begin(ctx)
}

func (s *services) config() string { return filepath.Join(s.dir, "config.yaml") }

const configText = `
source: {database_url: "${LEDGER_DATABASE_URL}"}
ledger: {database_url: "${LEDGER_DATABASE_URL}"}
vlens: {base_url: "http://127.0.0.1:1", api_key: none, tenancy_name: bench, username: none, password: none}
archive:
  bucket: %s
  prefix: vlens
  region: %s
  endpoint: %s
  force_path_style: true
  encryption: {mode: none}
  subject_key: %s
evidence: {origin: bench.example/vlens-archive}
worker: {concurrency: %d}
`

// environment is that of the programs under measurement.
func (s *services) environment() []string {
	return append(os.Environ(),
		"LEDGER_DATABASE_URL="+s.postgres.URL("ledger"),
		"AWS_ACCESS_KEY_ID="+s.s3.AccessKey(), "AWS_SECRET_ACCESS_KEY="+s.s3.SecretKey(),
		"AWS_REGION="+s3server.Region, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+os.DevNull,
		"BENCH_ENDPOINT="+s.s3.Endpoint())
}

// stop ends the servers and removes what they kept.
func (s *services) stop() error {
	var failures []error
	if s.s3 != nil {
		failures = append(failures, s.s3.Stop())
	}
	if s.postgres != nil {
		failures = append(failures, s.postgres.Stop())
	}
	return errors.Join(append(failures, os.RemoveAll(s.dir))...)
}
