package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/vlens/vlenstest"
)

// site is a company with its services: users, ledger, bucket, a tenant at Vlens,
// and a configuration for them.
type site struct {
	t      *testing.T
	vlens  *vlenstest.Server
	bucket *s3server.Server
	source string // URL of the users' database
	config string // file
	env    map[string]string
}

// siteKey is the subject key of every site.
const siteKey = "c3ViamVjdC1rZXktc3ViamVjdC1rZXktc3ViamVjdC1rZXkt"

// newSite makes a site with an empty ledger without tables.
func newSite(t *testing.T, options vlenstest.Options) *site {
	t.Helper()
	if options.Scenario.Quota.Preset == "" {
		options.Scenario.Quota.Preset = "none"
	}
	if options.ImageBytes == 0 {
		options.ImageBytes = 8 << 10
	}
	tenant, baseURL := vlenstest.Run(t, options)
	bucket := s3server.ForTest(t)
	if err := bucket.CreateBucket(t.Context(), "archive", s3server.Versioned); err != nil {
		t.Fatal(err)
	}
	s := &site{
		t:      t,
		vlens:  tenant,
		bucket: bucket,
		source: testservices.DB(t),
		config: filepath.Join(t.TempDir(), "config.yaml"),
		env: map[string]string{
			"LEDGER_DATABASE_URL": testservices.DB(t),
			"VLENS_BASE_URL":      baseURL,
			"VLENS_PASSWORD":      vlenstest.DefaultPassword,
			"S3_ENDPOINT":         bucket.Endpoint(),
			"S3_BUCKET":           "archive",
			"SUBJECT_KEY":         siteKey,
			"PER_SECOND":          "0",
			"PER_MINUTE":          "0",
		},
	}
	s.env["SOURCE_DATABASE_URL"] = s.source
	if err := os.WriteFile(s.config, []byte(siteConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	s.fillUsers()
	return s
}

const siteConfig = `
source:
  database_url: ${SOURCE_DATABASE_URL}
  users_sql: SELECT id, email, phone, transaction_id, verified_at FROM users
ledger:
  database_url: ${LEDGER_DATABASE_URL}
vlens:
  base_url: ${VLENS_BASE_URL}
  api_key: ` + vlenstest.DefaultAPIKey + `
  tenancy_name: ` + vlenstest.DefaultTenancy + `
  username: ` + vlenstest.DefaultUsername + `
  password: ${VLENS_PASSWORD}
  quota: {per_second: "${PER_SECOND}", per_minute: "${PER_MINUTE}"}
archive:
  bucket: ${S3_BUCKET}
  region: ` + s3server.Region + `
  endpoint: ${S3_ENDPOINT}
  force_path_style: true
  encryption: {mode: none}
  subject_key: ${SUBJECT_KEY}
worker:
  attempts: 1
`

func (s *site) fillUsers() {
	s.t.Helper()
	var rows bytes.Buffer
	if err := s.vlens.UsersCSV(&rows); err != nil {
		s.t.Fatal(err)
	}
	s.inSource(`CREATE TABLE users (id text PRIMARY KEY, email text, phone text, transaction_id text, verified_at timestamptz)`)
	s.with(s.source, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.PgConn().CopyFrom(ctx, &rows, `COPY users FROM STDIN WITH (FORMAT csv, HEADER true)`)
		return err
	})
}

func (s *site) inSource(statement string) {
	s.t.Helper()
	s.exec(s.source, statement)
}

func (s *site) inLedger(statement string) {
	s.t.Helper()
	s.exec(s.env["LEDGER_DATABASE_URL"], statement)
}

func (s *site) exec(database, statement string) {
	s.t.Helper()
	s.with(database, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statement)
		return err
	})
}

func (s *site) with(database string, do func(context.Context, *pgx.Conn) error) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), database)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(s.t.Context())
	if err := do(s.t.Context(), conn); err != nil {
		s.t.Fatal(err)
	}
}

// ended is what one call of the program left behind.
type ended struct {
	t              *testing.T
	command        string
	code           int
	stdout, stderr string
}

// run runs the program in this process.
func (s *site) run(args ...string) ended { return s.runWith("", args...) }

// runWith runs the program with a text on stdin.
func (s *site) runWith(stdin string, args ...string) ended {
	s.t.Helper()
	env := func(name string) (string, bool) {
		value, found := s.env[name]
		return value, found
	}
	var stdout, stderr bytes.Buffer
	all := append([]string{"--config", s.config}, args...)
	code := run(s.t.Context(), all, env, strings.NewReader(stdin), &stdout, &stderr)
	e := ended{s.t, fmt.Sprint(args), code, stdout.String(), stderr.String()}
	e.neverSays(s)
	return e
}

// migrated is the site with the ledger's tables.
func (s *site) migrated() *site {
	s.t.Helper()
	s.run("migrate", "up").exits(exitDone)
	return s
}

// neverSays fails when the output has a secret or what Vlens knows of a person.
func (e ended) neverSays(s *site) {
	e.t.Helper()
	person, _ := s.vlens.Person("u-000001")
	for _, secret := range []string{
		vlenstest.DefaultAPIKey, vlenstest.DefaultPassword, s.env["SUBJECT_KEY"],
		person.Email, person.Phone, strings.TrimPrefix(person.Phone, "+"), person.Name, person.FileName(vlenstest.IDFront),
	} {
		if strings.Contains(e.stdout+e.stderr, secret) {
			e.t.Errorf("%s: the output has %q:\n%s\n%s", e.command, secret, e.stdout, e.stderr)
		}
	}
}

// exits fails the test when the exit code is another one.
func (e ended) exits(code int) ended {
	e.t.Helper()
	if e.code != code {
		e.t.Fatalf("%s: exit code %d, want %d\nstdout: %s\nstderr: %s", e.command, e.code, code, e.stdout, e.stderr)
	}
	return e
}

// says fails the test when a text is missing on stderr.
func (e ended) says(text string) ended {
	e.t.Helper()
	if !strings.Contains(e.stderr, text) {
		e.t.Errorf("%s: stderr lacks %q:\n%s", e.command, text, e.stderr)
	}
	return e
}

// prints fails the test when a text is missing on stdout.
func (e ended) prints(text string) ended {
	e.t.Helper()
	if !strings.Contains(e.stdout, text) {
		e.t.Errorf("%s: stdout lacks %q:\n%s", e.command, text, e.stdout)
	}
	return e
}

// read decodes the one JSON value on stdout.
func read[T any](e ended) T {
	e.t.Helper()
	var value T
	if err := json.Unmarshal([]byte(e.stdout), &value); err != nil {
		e.t.Fatalf("%s: stdout is no JSON value: %v\n%s", e.command, err, e.stdout)
	}
	return value
}
