package main

import (
	"fmt"

	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

const (
	prefix = "vlens"
	// subjectKey is the same in every demo, so that a person always has the same
	// pseudonym.
	subjectKey = "ZGVtbyBzdWJqZWN0IGtleSwgcHJvdGVjdHMgbm90aGluZw=="
	origin     = "demo.example/vlens-archive"
)

// configText is the configuration of the demo, as a company would write it.
func configText(s *services, signingKey store.Sensitive) string {
	return fmt.Sprintf(`# The configuration this demo ran with. Its servers run only as long as the demo
# does (see --keep); its keys and passwords protect nothing.
source:
  database_url: "%s"
  users_sql: SELECT id, email, phone, transaction_id, verified_at FROM users
ledger:
  database_url: "%s"
vlens:
  base_url: %s
  tenancy_name: %s
  api_key: %s
  username: %s
  password: %s
  quota: {per_second: 0, per_minute: 0}   # no limit; a real tenant has one
  codes: {not_found: [%d], gone: [%d]}
archive:
  bucket: %s
  prefix: %s
  region: %s
  endpoint: %s
  force_path_style: true
  subject_key: %s
  encryption: {mode: none}
  object_lock: {mode: governance, days: 1}
evidence:
  origin: %s
  signing_key: "%s"
worker:
  attempts: 2   # what fails on purpose fails soon
`,
		s.postgres.URL(companyDatabase), s.postgres.URL(ledgerDatabase),
		s.tenant.url, vlenstest.DefaultTenancy, vlenstest.DefaultAPIKey, vlenstest.DefaultUsername, vlenstest.DefaultPassword,
		vlenstest.CodeUserNotFound, vlenstest.CodeImageNotFound,
		bucketName, prefix, s3server.Region, s.s3.Endpoint(), subjectKey,
		origin, signingKey.Reveal())
}
