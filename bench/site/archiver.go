package site

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/vlens/vlenstest"
)

// Archive is where vlens-archiver is to work, and how.
type Archive struct {
	Name        string // of the ledger's database and the configuration file
	Source      string // database of the users
	BaseURL     string // of the tenant
	Bucket      string
	PerSecond   int // of the quota; 0 for no limit
	PerMinute   int
	Concurrency int
}

// Configure makes the ledger of an archive and returns its configuration file.
func (s *Site) Configure(ctx context.Context, program string, a Archive) (string, error) {
	if err := s.Postgres.CreateDatabase(ctx, a.Name, ""); err != nil {
		return "", err
	}
	config := filepath.Join(s.Dir, a.Name+".yaml")
	if err := os.WriteFile(config, []byte(s.config(a)), 0o600); err != nil {
		return "", fmt.Errorf("write the configuration: %w", err)
	}
	_, err := s.Measure(ctx, a.Name+"-migrate", nil, program, "--config", config, "migrate", "up")
	return config, err
}

// config leaves everything that is not about the measurement at its default.
func (s *Site) config(a Archive) string {
	return fmt.Sprintf(`source:
  database_url: %q
  users_sql: SELECT id, email, phone, transaction_id, verified_at FROM users
ledger:
  database_url: %q
vlens:
  base_url: %s
  tenancy_name: %s
  api_key: %s
  username: %s
  password: %s
  quota: {per_second: %d, per_minute: %d}
archive:
  bucket: %s
  region: %s
  endpoint: %s
  force_path_style: true
  subject_key: YmVuY2ggc3ViamVjdCBrZXksIHByb3RlY3RzIG5vdGhpbmc=
  encryption: {mode: none}
worker:
  concurrency: %d
`,
		s.Postgres.URL(a.Source), s.Postgres.URL(a.Name),
		a.BaseURL, vlenstest.DefaultTenancy, vlenstest.DefaultAPIKey, vlenstest.DefaultUsername, vlenstest.DefaultPassword,
		a.PerSecond, a.PerMinute, a.Bucket, s3server.Region, s.S3.Endpoint(), a.Concurrency)
}
