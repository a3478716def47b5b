package archivetest

import (
	"bytes"
	"context"
	"net"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens/vlenstest"
)

// What every tenant's configuration says.
const (
	SubjectKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" // 32 bytes in base64
	BucketName = "archive"
	Prefix     = "vlens"
	Origin     = "acme.example/vlens-archive"
	// SigningKey and VerifierKey are a pair for the origin.
	SigningKey  = "PRIVATE+KEY+acme.example/vlens-archive+0a4d29fc+ARPcIViyRAjezxUMh6NfwIq5X3x7Mm6JqJBHD7B0oxyy"
	VerifierKey = "acme.example/vlens-archive+0a4d29fc+AeIQXrqQCuuwzpJCTB6mUycuzDnl+EC8OtY3d/N20LxJ"
)

// Tenant is a company with its users, its archive and its contract with the
// vendor, all real servers on loopback. They end with the test.
type Tenant struct {
	T      *testing.T
	Sim    *vlenstest.Server
	Vendor *httptest.Server // of Sim
	// URLs that processes are told; a test may put proxies there.
	VendorURL, SourceURL, LedgerURL, S3URL string

	source, ledger string                 // URLs for the test itself, without a proxy
	Postgres       *testservices.Postgres // nil when the databases are on the shared server
	S3             *s3server.Server
	Lock           bucket.ObjectLock // on each object that processes write
	kind           s3server.BucketKind
	read           sync.Map // Object by the state in which it was read
	Log            *Log     // of all processes in this one
	Seals          bool     // processes have the signing key
}

// NewTenant starts the services and fills the company's users table from the
// simulator's people. Unless its scenario says otherwise there is no quota. It
// needs testservices.Main.
func NewTenant(t *testing.T, options vlenstest.Options) *Tenant {
	t.Helper()
	return NewTenantIn(t, s3server.Versioned, bucket.ObjectLock{}, options)
}

// NewTenantIn is NewTenant with a bucket of that kind, and the lock that is put on
// each object.
func NewTenantIn(t *testing.T, kind s3server.BucketKind, lock bucket.ObjectLock, options vlenstest.Options) *Tenant {
	t.Helper()
	tn := &Tenant{T: t, SourceURL: testservices.DB(t), LedgerURL: testservices.CopiedDB(t, "migrated", migrate), kind: kind, Lock: lock}
	tn.start(options)
	return tn
}

// NewTenantAlone is NewTenant with a Postgres server of its own, which a test
// may stop, and which listens on TCP too.
func NewTenantAlone(t *testing.T, options vlenstest.Options) *Tenant {
	t.Helper()
	server, err := testservices.StartPostgres(t.Context(), testservices.PostgresOptions{Dir: t.TempDir(), TCP: true})
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
	if err := migrate(t.Context(), server.URL("ledger")); err != nil {
		t.Fatal(err)
	}
	tn := &Tenant{T: t, kind: s3server.Versioned, Postgres: server, SourceURL: server.URL("source"), LedgerURL: server.URL("ledger")}
	tn.start(options)
	return tn
}

// migrate makes the ledger's tables.
func migrate(ctx context.Context, url string) error {
	_, err := postgres.Migrate(ctx, store.Sensitive(url), postgres.Up)
	return err
}

func (tn *Tenant) start(options vlenstest.Options) {
	t := tn.T
	t.Helper()
	tn.source, tn.ledger = tn.SourceURL, tn.LedgerURL
	if options.Scenario.Quota == (vlenstest.QuotaRules{}) {
		options.Scenario.Quota.Preset = "none"
	}
	var err error
	if tn.Sim, err = vlenstest.New(options); err != nil {
		t.Fatal(err)
	}
	tn.Vendor = httptest.NewServer(tn.Sim)
	tn.VendorURL = tn.Vendor.URL
	t.Cleanup(func() { tn.Vendor.Close() })
	tn.S3 = s3server.ForTest(t)
	tn.S3URL = tn.S3.Endpoint()
	tn.Log = &Log{}
	if err := tn.S3.CreateBucket(t.Context(), BucketName, tn.kind); err != nil {
		t.Fatal(err)
	}
	tn.ExecSource(`CREATE TABLE users (id text PRIMARY KEY, email text, phone text, transaction_id text, verified_at timestamptz)`)
	tn.LoadUsers()
}

// StopVendor closes the vendor's port and connections.
func (tn *Tenant) StopVendor() {
	tn.Vendor.CloseClientConnections()
	tn.Vendor.Close()
}

// StartVendor opens the port again that StopVendor closed.
func (tn *Tenant) StartVendor() {
	tn.T.Helper()
	listener, err := net.Listen("tcp", tn.Vendor.Listener.Addr().String())
	if err != nil {
		tn.T.Error(err)
		return
	}
	tn.Vendor = httptest.NewUnstartedServer(tn.Sim)
	tn.Vendor.Listener.Close()
	tn.Vendor.Listener = listener
	tn.Vendor.Start()
}

// LoadUsers makes the company's table what the simulator says it is now.
func (tn *Tenant) LoadUsers() {
	tn.T.Helper()
	tn.ExecSource(`TRUNCATE users`)
	ctx := tn.T.Context()
	db, err := pgx.Connect(ctx, tn.source)
	if err != nil {
		tn.T.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	var rows bytes.Buffer
	if err := tn.Sim.UsersCSV(&rows); err != nil {
		tn.T.Fatal(err)
	}
	if _, err := db.PgConn().CopyFrom(ctx, &rows, `COPY users FROM STDIN WITH (FORMAT csv, HEADER true)`); err != nil {
		tn.T.Fatal(err)
	}
}
