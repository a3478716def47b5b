package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens/vlenstest"
)

// TestMain also makes sure, after a run of all tests, that each check was seen
// to find a fault, and each remedy to be given.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID":         "test-access-key",
		"AWS_SECRET_ACCESS_KEY":     "test-secret-key",
		"AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE":           os.DevNull,
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		_ = shared.server.Stop()
	}
	if shared.postgres != nil {
		_ = shared.postgres.Stop()
	}
	_ = os.RemoveAll(shared.dir)
	if code != 0 || flag.Lookup("test.run").Value.String() != "" || flag.Lookup("test.list").Value.String() != "" {
		return code
	}
	for _, c := range checks() {
		for _, remedy := range c.remedies {
			if _, given := given.Load(remedy); !given {
				fmt.Printf("no test has seen %s advise: %s\n", c.name, remedy)
				code = 1
			}
		}
		if _, seen := faulty.Load(c.name); !seen {
			fmt.Printf("no test has seen %s find a fault\n", c.name)
			code = 1
		}
	}
	return code
}

// given are the remedies and faulty the checks that tests have seen at work.
var given, faulty sync.Map

// shared are the servers of all tests: an S3 server with the account writer beside
// its own, and a Postgres with the databases of a company, which tests that
// change them copy.
var shared struct {
	once     sync.Once
	dir      string
	server   *s3server.Server
	postgres *testservices.Postgres
	err      error
}

const (
	writerKey    = "writer-access-key"
	writerSecret = "writer-secret-key"
	// reader is the role that may only read the users.
	reader = "reader"
)

func services(t *testing.T) {
	t.Helper()
	shared.once.Do(func() { shared.err = errors.Join(startS3(), startPostgres()) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
}

func s3(t *testing.T) *s3server.Server {
	t.Helper()
	services(t)
	return shared.server
}

func startS3() (err error) {
	if shared.dir, err = os.MkdirTemp("", "doctor"); err != nil {
		return err
	}
	content, err := json.Marshal(map[string]any{"accessAccounts": map[string]any{
		writerKey: map[string]any{"access": writerKey, "secret": writerSecret, "role": "user", "userID": 1, "groupID": 1},
	}})
	if err != nil {
		return err
	}
	accounts := filepath.Join(shared.dir, "accounts")
	if err := os.Mkdir(accounts, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(accounts, "users.json"), content, 0o600); err != nil {
		return err
	}
	shared.server, err = s3server.Start(context.Background(), s3server.Options{Dir: shared.dir})
	return err
}

func startPostgres() (err error) {
	ctx := context.Background()
	if shared.postgres, err = testservices.StartPostgres(ctx, testservices.PostgresOptions{}); err != nil {
		return err
	}
	for _, name := range []string{"ledger_template", "source_template"} {
		if err := shared.postgres.CreateDatabase(ctx, name, ""); err != nil {
			return err
		}
	}
	if _, err := postgres.Migrate(ctx, store.Sensitive(shared.postgres.URL("ledger_template")), postgres.Up); err != nil {
		return err
	}
	if err := fillUsers(ctx, shared.postgres.URL("source_template")); err != nil {
		return err
	}
	return errors.Join(
		shared.postgres.CreateDatabase(ctx, "ledger", "ledger_template"),
		shared.postgres.CreateDatabase(ctx, "source", "source_template"),
	)
}

// fillUsers makes the users of every site and the role that may only read them.
func fillUsers(ctx context.Context, databaseURL string) error {
	tenant, err := vlenstest.New(vlenstest.Options{People: people})
	if err != nil {
		return err
	}
	var rows bytes.Buffer
	if err := tenant.UsersCSV(&rows); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, `
		CREATE TABLE users (id text PRIMARY KEY, email text, phone text, transaction_id text, verified_at timestamptz);
		CREATE ROLE `+reader+` LOGIN; GRANT SELECT ON users TO `+reader); err != nil {
		return err
	}
	_, err = conn.PgConn().CopyFrom(ctx, &rows, `COPY users FROM STDIN WITH (FORMAT csv, HEADER true)`)
	return err
}
