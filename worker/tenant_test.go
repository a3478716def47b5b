package worker_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/semaphore"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

const (
	subjectKeyText = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	bucketName     = "archive"
	prefix         = "vlens"
)

// tenant is a company with its users, its archive and its contract with the
// vendor, all real servers on loopback.
type tenant struct {
	t         *testing.T
	sim       *vlenstest.Server
	vendor    *httptest.Server
	vendorURL string
	sourceURL string
	ledgerURL string
	postgres  *testservices.Postgres // nil when the databases are on the shared server
	s3        *s3server.Server
	log       *logBuffer
}

// newTenant starts the services and fills the company's users table from the
// simulator's people. Unless its scenario says otherwise there is no quota.
func newTenant(t *testing.T, options vlenstest.Options) *tenant {
	t.Helper()
	tn := &tenant{t: t, sourceURL: testservices.DB(t), ledgerURL: testservices.DB(t)}
	tn.start(options)
	return tn
}

// newTenantAlone is newTenant with a Postgres server of its own, which a test
// may stop.
func newTenantAlone(t *testing.T, options vlenstest.Options) *tenant {
	t.Helper()
	dir := t.TempDir()
	server, err := testservices.StartPostgres(t.Context(), testservices.PostgresOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"source", "ledger"} {
		if err := server.CreateDatabase(t.Context(), name, ""); err != nil {
			t.Fatal(err)
		}
	}
	tn := &tenant{t: t, postgres: server, sourceURL: server.URL("source"), ledgerURL: server.URL("ledger")}
	tn.start(options)
	return tn
}

func (tn *tenant) start(options vlenstest.Options) {
	t := tn.t
	t.Helper()
	if options.Scenario.Quota == (vlenstest.QuotaRules{}) {
		options.Scenario.Quota.Preset = "none"
	}
	var err error
	if tn.sim, err = vlenstest.New(options); err != nil {
		t.Fatal(err)
	}
	tn.vendor = httptest.NewServer(tn.sim)
	tn.vendorURL = tn.vendor.URL
	t.Cleanup(func() { tn.vendor.Close() })
	tn.s3 = s3server.ForTest(t)
	tn.log = &logBuffer{}
	if err := tn.s3.CreateBucket(t.Context(), bucketName, s3server.Versioned); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Migrate(t.Context(), store.Sensitive(tn.ledgerURL), postgres.Up); err != nil {
		t.Fatal(err)
	}
	tn.exec(tn.sourceURL, `CREATE TABLE users (id text PRIMARY KEY, email text, phone text, transaction_id text, verified_at timestamptz)`)
	tn.loadUsers()
}

// stopVendor closes the vendor's port and connections; startVendor opens the
// same port again.
func (tn *tenant) stopVendor() {
	tn.vendor.CloseClientConnections()
	tn.vendor.Close()
}

func (tn *tenant) startVendor() {
	tn.t.Helper()
	listener, err := net.Listen("tcp", tn.vendor.Listener.Addr().String())
	if err != nil {
		tn.t.Error(err)
		return
	}
	tn.vendor = httptest.NewUnstartedServer(tn.sim)
	tn.vendor.Listener.Close()
	tn.vendor.Listener = listener
	tn.vendor.Start()
}

// loadUsers makes the company's table what the simulator says it is now.
func (tn *tenant) loadUsers() {
	tn.t.Helper()
	tn.exec(tn.sourceURL, `TRUNCATE users`)
	ctx := tn.t.Context()
	db, err := pgx.Connect(ctx, tn.sourceURL)
	if err != nil {
		tn.t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	var rows bytes.Buffer
	if err := tn.sim.UsersCSV(&rows); err != nil {
		tn.t.Fatal(err)
	}
	if _, err := db.PgConn().CopyFrom(ctx, &rows, `COPY users FROM STDIN WITH (FORMAT csv, HEADER true)`); err != nil {
		tn.t.Fatal(err)
	}
}

func (tn *tenant) exec(url, sql string, args ...any) {
	tn.t.Helper()
	ctx := tn.t.Context()
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		tn.t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	if _, err := db.Exec(ctx, sql, args...); err != nil {
		tn.t.Fatalf("%s: %v", sql, err)
	}
}

// query reads the ledger with plain SQL.
func query[T any](tn *tenant, sql string, args ...any) []T {
	tn.t.Helper()
	ctx := tn.t.Context()
	db, err := pgx.Connect(ctx, tn.ledgerURL)
	if err != nil {
		tn.t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		tn.t.Fatalf("%s: %v", sql, err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		tn.t.Fatalf("%s: %v", sql, err)
	}
	return values
}

func count(tn *tenant, sql string, args ...any) int64 {
	tn.t.Helper()
	return query[int64](tn, sql, args...)[0]
}

// process is one worker with connections of its own.
type process struct {
	*worker.Worker
	tn    *tenant
	close func()
}

// process makes a worker of the tenant; change edits its configuration.
func (tn *tenant) process(runID string, change func(*worker.Config)) *process {
	tn.t.Helper()
	ctx := tn.t.Context()
	key, err := store.ParseSubjectKey(subjectKeyText)
	if err != nil {
		tn.t.Fatal(err)
	}
	source, err := postgres.OpenSource(ctx, postgres.SourceConfig{
		URL:         store.Sensitive(tn.sourceURL),
		UsersSQL:    "SELECT id, email, phone, transaction_id, verified_at FROM users -- a comment at the end",
		Identifiers: []string{"phone", "email"},
	})
	if err != nil {
		tn.t.Fatal(err)
	}
	ledger, err := postgres.OpenLedger(ctx, store.Sensitive(tn.ledgerURL))
	if err != nil {
		tn.t.Fatal(err)
	}
	archive, err := bucket.Open(ctx, bucket.Config{
		Bucket: bucketName, Region: s3server.Region, Endpoint: tn.s3.Endpoint(), ForcePathStyle: true,
		MaxConnections: 32, Attempts: 3, AccessKey: tn.s3.AccessKey(), SecretKey: store.Sensitive(tn.s3.SecretKey()),
	})
	if err != nil {
		tn.t.Fatal(err)
	}
	vendor, err := vlens.New(vlens.Config{
		BaseURL: tn.vendorURL, APIKey: vlenstest.DefaultAPIKey, TenancyName: vlenstest.DefaultTenancy,
		Username: vlenstest.DefaultUsername, Password: vlenstest.DefaultPassword,
		Timeout: 10 * time.Second, MaxImageBytes: 16 << 20, Attempts: 2, Memory: semaphore.NewWeighted(256 << 20), Connections: 16,
		Codes: vlens.Codes{
			NotFound:  []int{vlenstest.CodeUserNotFound},
			Gone:      []int{vlenstest.CodeImageNotFound},
			Throttled: []int{vlenstest.CodeThrottled},
		},
	})
	if err != nil {
		tn.t.Fatal(err)
	}
	config := worker.Config{
		Run:         store.Run{ID: runID, Kind: store.RunManual},
		WorkerName:  "test",
		Concurrency: 16, RecheckAfter: 2160 * time.Hour,
		Grace: 5 * time.Second, OutageBound: 20 * time.Second,
		Heartbeat: time.Second, Silence: 45 * time.Second,
		Identifiers: []worker.Identifier{worker.ByPhone, worker.ByEmail}, PhoneRegion: "EG",
		Identity: store.ArchiveIdentity{
			LayoutVersion: store.LayoutVersion, Origin: "acme.example/vlens-archive",
			TenancyName: vlenstest.DefaultTenancy, KeyCheck: key.Check(),
		},
		Layout:  manifest.Layout{Prefix: prefix},
		BaseURL: tn.vendorURL,
		Tool:    manifest.Tool{Version: "test", Commit: "none"},
	}
	if change != nil {
		change(&config)
	}
	w := worker.New(config, worker.Parts{
		Users: postgres.NewUsers(source, ledger), Ledger: ledger, Bucket: archive, Vendor: vendor, Key: key,
		Log: slog.New(slog.NewJSONHandler(tn.log, nil)),
	})
	return &process{Worker: w, tn: tn, close: func() {
		source.Close()
		ledger.Close()
	}}
}

// waitForUsers returns once the process has done that many users, or the test is
// over.
func (p *process) waitForUsers(n int64) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for p.Progress().Users < n {
		select {
		case <-tick.C:
		case <-p.tn.t.Context().Done():
			return
		}
	}
}

// run is a whole run of one process.
func (tn *tenant) run(runID string, change func(*worker.Config)) worker.Report {
	tn.t.Helper()
	p := tn.process(runID, change)
	defer p.close()
	report, err := p.Run(tn.t.Context(), tn.t.Context())
	if err != nil {
		tn.t.Fatalf("run %s: %v\n%s", runID, err, tn.log)
	}
	return report
}

// object is an object of the bucket, read with the SDK and nothing of ours.
type object struct {
	body     []byte
	metadata map[string]string
	mime     string
}

// objects reads the whole bucket.
func (tn *tenant) objects() map[string]object {
	tn.t.Helper()
	ctx := tn.t.Context()
	client := tn.s3.Client()
	all := make(map[string]object)
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(bucketName)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			tn.t.Fatal(err)
		}
		for _, entry := range page.Contents {
			got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucketName), Key: entry.Key})
			if err != nil {
				tn.t.Fatal(err)
			}
			body, err := io.ReadAll(got.Body)
			got.Body.Close()
			if err != nil {
				tn.t.Fatal(err)
			}
			all[*entry.Key] = object{body: body, metadata: got.Metadata, mime: aws.ToString(got.ContentType)}
		}
	}
	return all
}

// logBuffer collects what the processes log.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
