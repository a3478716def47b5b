package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"vlens-archiver/bench/site"
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

// services keep the archive.
type services struct {
	*site.Site
	bucket *bucket.Bucket
	layout manifest.Layout
	photo  []byte
	images int
	bytes  int64 // of images
}

// begin makes an empty archive on a site.
func begin(ctx context.Context, place *site.Site) (*services, error) {
	s := &services{Site: place, layout: manifest.Layout{Prefix: "vlens"}}
	var err error
	if s.photo, err = photograph(); err != nil {
		return nil, err
	}
	if err := s.Postgres.CreateDatabase(ctx, "ledger", ""); err != nil {
		return nil, err
	}
	if _, err := postgres.Migrate(ctx, store.Sensitive(s.ledgerURL()), postgres.Up); err != nil {
		return nil, err
	}
	if err := s.S3.CreateBucket(ctx, bucketName, s3server.Versioned); err != nil {
		return nil, err
	}
	if s.bucket, err = bucket.Open(ctx, bucket.Config{
		Bucket: bucketName, Region: s3server.Region, Endpoint: s.S3.Endpoint(), ForcePathStyle: true,
		AccessKey: s.S3.AccessKey(), SecretKey: store.Sensitive(s.S3.SecretKey()),
	}); err != nil {
		return nil, err
	}
	text := fmt.Appendf(nil, configText, s.ledgerURL(), s.ledgerURL(), bucketName, s3server.Region, s.S3.Endpoint(), subjectKey, parallel)
	if err := os.WriteFile(s.config(), text, 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	return s, s.writeIdentity(ctx)
}

func (s *services) ledgerURL() string { return s.Postgres.URL("ledger") }

func (s *services) config() string { return filepath.Join(s.Dir, "config.yaml") }

const configText = `
source: {database_url: %q}
ledger: {database_url: %q}
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
