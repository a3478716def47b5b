package archivetest

import (
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// Process is one worker with connections of its own.
type Process struct {
	*worker.Worker
	tn    *Tenant
	close func()
}

// Close closes the connections.
func (p *Process) Close() { p.close() }

// Key is the parsed SubjectKey.
func (tn *Tenant) Key() store.SubjectKey {
	tn.T.Helper()
	key, err := store.ParseSubjectKey(SubjectKey)
	if err != nil {
		tn.T.Fatal(err)
	}
	return key
}

// Signing is the parsed SigningKey.
func Signing(t testing.TB) manifest.SigningKey {
	t.Helper()
	key, err := manifest.ParseSigningKey(SigningKey)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Process makes a worker of the tenant; change edits its configuration. Its parts
// may be replaced until it runs.
func (tn *Tenant) Process(runID string, change func(*worker.Config)) *Process {
	tn.T.Helper()
	ctx := tn.T.Context()
	source, err := postgres.OpenSource(ctx, postgres.SourceConfig{
		URL:         store.Sensitive(tn.SourceURL),
		UsersSQL:    "SELECT id, email, phone, transaction_id, verified_at FROM users -- a comment at the end",
		Identifiers: []string{"phone", "email"},
	})
	if err != nil {
		tn.T.Fatal(err)
	}
	ledger, err := postgres.OpenLedger(ctx, store.Sensitive(tn.LedgerURL))
	if err != nil {
		tn.T.Fatal(err)
	}
	archive := tn.OpenBucket()
	vendor, err := VendorClient(tn.VendorURL)
	if err != nil {
		tn.T.Fatal(err)
	}
	key := tn.Key()
	config := WorkerConfig(runID, key, tn.VendorURL)
	if change != nil {
		change(&config)
	}
	w := worker.New(config, worker.Parts{
		Users: postgres.NewUsers(source, ledger), Ledger: ledger, Bucket: archive, Vendor: vendor, Key: key,
		Log: slog.New(slog.NewJSONHandler(tn.Log, nil)),
	})
	if tn.Seals {
		w.Signing = Signing(tn.T)
	}
	return &Process{Worker: w, tn: tn, close: func() {
		vendor.CloseIdleConnections()
		source.Close()
		ledger.Close()
	}}
}

// OpenBucket opens the archive's bucket, with the tenant's lock.
func (tn *Tenant) OpenBucket() *bucket.Bucket {
	tn.T.Helper()
	archive, err := bucket.Open(tn.T.Context(), bucket.Config{
		Bucket: BucketName, Region: s3server.Region, Endpoint: tn.S3URL, ForcePathStyle: true, ObjectLock: tn.Lock,
		MaxConnections: 32, Attempts: 3, AccessKey: tn.S3.AccessKey(), SecretKey: store.Sensitive(tn.S3.SecretKey()),
	})
	if err != nil {
		tn.T.Fatal(err)
	}
	return archive
}

// VendorClient is a client of the simulated tenant that knows its error codes.
// Changes edit its configuration.
func VendorClient(baseURL string, changes ...func(*vlens.Config)) (*vlens.Client, error) {
	config := vlens.Config{
		BaseURL: baseURL, APIKey: vlenstest.DefaultAPIKey, TenancyName: vlenstest.DefaultTenancy,
		Username: vlenstest.DefaultUsername, Password: vlenstest.DefaultPassword,
		Timeout: time.Minute, MaxImageBytes: 16 << 20, Attempts: 2, Memory: semaphore.NewWeighted(256 << 20),
		Codes: vlens.Codes{
			NotFound:  []int{vlenstest.CodeUserNotFound},
			Gone:      []int{vlenstest.CodeImageNotFound},
			Throttled: []int{vlenstest.CodeThrottled},
		},
	}
	for _, change := range changes {
		change(&config)
	}
	return vlens.New(config)
}

// WorkerConfig is a worker's configuration with times that suit a test.
func WorkerConfig(runID string, key store.SubjectKey, baseURL string) worker.Config {
	return worker.Config{
		Run:         store.Run{ID: runID, Kind: store.RunManual},
		WorkerName:  "test",
		Concurrency: 16, RecheckAfter: 2160 * time.Hour,
		Grace: 5 * time.Second, OutageBound: 20 * time.Second,
		Heartbeat: time.Second, Silence: 45 * time.Second, SealEvery: time.Minute, SealRecords: 100,
		Identifiers: []worker.Identifier{worker.ByPhone, worker.ByEmail}, PhoneRegion: "EG",
		Identity: store.ArchiveIdentity{
			LayoutVersion: store.LayoutVersion, Origin: Origin,
			TenancyName: vlenstest.DefaultTenancy, KeyCheck: key.Check(),
		},
		Layout:  manifest.Layout{Prefix: Prefix},
		BaseURL: baseURL,
		Tool:    manifest.Tool{Version: "test", Commit: "none"},
	}
}

// WaitForUsers returns once the process has done that many users, or the test is
// over.
func (p *Process) WaitForUsers(n int64) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for p.Progress().Users < n {
		select {
		case <-tick.C:
		case <-p.tn.T.Context().Done():
			return
		}
	}
}

// Run is a whole run of one process; an error fails the test.
func (tn *Tenant) Run(runID string, change func(*worker.Config)) worker.Report {
	tn.T.Helper()
	p := tn.Process(runID, change)
	defer p.Close()
	report, err := p.Run(tn.T.Context(), tn.T.Context())
	if err != nil {
		tn.T.Fatalf("run %s: %v\n%s", runID, err, tn.Log)
	}
	return report
}
