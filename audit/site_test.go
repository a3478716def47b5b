package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/audit"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens/vlenstest"
)

// reader is who exports or rebuilds: the parts of an archive, opened anew.
type reader struct {
	*archivetest.Tenant
	ledger   *postgres.Ledger
	bucket   audit.Objects
	layout   manifest.Layout
	verifier string
}

func newReader(t *testing.T, tn *archivetest.Tenant) *reader {
	t.Helper()
	ledger, err := postgres.OpenLedger(t.Context(), store.Sensitive(tn.LedgerURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ledger.Close)
	objects, err := bucket.Open(t.Context(), bucket.Config{
		Bucket: archivetest.BucketName, Region: s3server.Region, Endpoint: tn.S3URL, ForcePathStyle: true, Attempts: 2,
		AccessKey: tn.S3.AccessKey(), SecretKey: store.Sensitive(tn.S3.SecretKey()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &reader{Tenant: tn, ledger: ledger, bucket: objects, layout: manifest.Layout{Prefix: archivetest.Prefix}, verifier: archivetest.Signing(t).VerifierKey()}
}

func (r *reader) exporter() audit.Exporter {
	identity := archivetest.WorkerConfig("", r.Key(), "").Identity
	return audit.Exporter{
		Ledger: r.ledger, Bucket: r.bucket, Layout: r.layout, Identity: identity, VerifierKey: r.verifier,
		Actor: "auditor@test", Tool: manifest.Tool{Version: "test", Commit: "none"},
	}
}

func (r *reader) put(key string, body []byte) {
	r.T.Helper()
	if _, _, err := r.bucket.Put(r.T.Context(), store.PutRequest{
		Key: key, Body: bytes.NewReader(body), Size: int64(len(body)), SHA256: sha256.Sum256(body), ContentType: "application/octet-stream",
	}); err != nil {
		r.T.Fatal(err)
	}
}

// runUnsealed is a run of a process without a signing key.
func runUnsealed(tn *archivetest.Tenant, runID string) {
	tn.T.Helper()
	seals := tn.Seals
	tn.Seals = false
	tn.Run(runID, nil)
	tn.Seals = seals
}

// again lets a user verify anew.
func again(tn *archivetest.Tenant, userID string) {
	tn.T.Helper()
	if err := tn.Sim.Change(func(s *vlenstest.Scenario) {
		if s.Users == nil {
			s.Users = make(map[string]vlenstest.Rules)
		}
		rules := s.Users[userID]
		rules.Verification = max(1, rules.Verification) + 1
		s.Users[userID] = rules
	}); err != nil {
		tn.T.Fatal(err)
	}
	tn.LoadUsers()
}

// audits are the keys of the statements in the bucket.
func (r *reader) audits() []string {
	var found []string
	for key := range r.ObjectsUnder(r.layout.Audits()) {
		found = append(found, strings.TrimPrefix(key, r.layout.Audits()))
	}
	return found
}

// anImage and aRecord are keys of the exported user's first verification.
func (r *reader) anImage() string { return r.keyOf("/id_back.") }
func (r *reader) aRecord() string { return r.keyOf("/record.0001.json") }

func (r *reader) keyOf(part string) string {
	r.T.Helper()
	for key := range r.ObjectsUnder(r.layout.Subject(subjectOf(exportedUser))) {
		if strings.Contains(key, part) {
			return key
		}
	}
	r.T.Fatalf("no %s", part)
	return ""
}

// tile is the key of the tile under the last checkpoint, of less than ten entries.
func (r *reader) tile() string {
	r.T.Helper()
	return slices.Max(slices.Collect(maps.Keys(r.ObjectsUnder(r.layout.Tiles() + "0/"))))
}

// overwrite puts other bytes in the place of the version that is there, as only
// who owns the storage can.
func (r *reader) overwrite(key string, change func([]byte) []byte) {
	r.T.Helper()
	ctx, client := r.T.Context(), r.S3.Client()
	got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key})
	if err != nil {
		r.T.Fatal(err)
	}
	content, err := io.ReadAll(got.Body)
	got.Body.Close()
	if err != nil {
		r.T.Fatal(err)
	}
	r.destroy(key)
	put, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key, Body: bytes.NewReader(change(content))})
	if err != nil {
		r.T.Fatal(err)
	}
	// The forger has the ledger too, or the new version would be missing there.
	for _, table := range []string{"images", "records"} {
		r.tamper(table, `UPDATE archive.`+table+` SET version_id = $2 WHERE key = $1`, key, aws.ToString(put.VersionId))
	}
}

// serve lets the bucket give an image with other bytes under the version that was
// recorded, and returns its key.
func (r *reader) serve(change func([]byte) []byte) string {
	key := r.anImage()
	r.bucket = rotten{r.bucket, key, change}
	return key
}

// rotten is a bucket whose disk has changed one object.
type rotten struct {
	audit.Objects
	key    string
	change func([]byte) []byte
}

func (b rotten) Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error) {
	body, object, err := b.Objects.Get(ctx, key, versionID)
	if err != nil || key != b.key {
		return body, object, err
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	return io.NopCloser(bytes.NewReader(b.change(content))), object, err
}

// destroy removes the version of an object that is there.
func (r *reader) destroy(key string) {
	r.T.Helper()
	ctx, client := r.T.Context(), r.S3.Client()
	head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key})
	if err != nil {
		r.T.Fatal(err)
	}
	if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key, VersionId: head.VersionId}); err != nil {
		r.T.Fatal(err)
	}
}

// tamper changes history, as the owner of the database can.
func (r *reader) tamper(table, sql string, args ...any) {
	r.T.Helper()
	r.ExecLedger(`ALTER TABLE archive.` + table + ` DISABLE TRIGGER insert_only`)
	r.ExecLedger(sql, args...)
	r.ExecLedger(`ALTER TABLE archive.` + table + ` ENABLE TRIGGER insert_only`)
}

// holdLock takes a lock in the ledger until the returned function is called.
func (r *reader) holdLock(sql string) (release func()) {
	r.T.Helper()
	conn, err := pgx.Connect(r.T.Context(), r.LedgerURL)
	if err != nil {
		r.T.Fatal(err)
	}
	release = sync.OnceFunc(func() { _ = conn.Close(context.WithoutCancel(r.T.Context())) })
	r.T.Cleanup(release)
	if _, err := conn.Exec(r.T.Context(), `BEGIN; `+sql); err != nil {
		r.T.Fatal(err)
	}
	return release
}

// awaitCount waits until a count in the ledger is not 0.
func (r *reader) awaitCount(sql string) {
	r.T.Helper()
	ctx, cancel := context.WithTimeout(r.T.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for r.Count(sql) == 0 {
		select {
		case <-ctx.Done():
			r.T.Fatalf("nothing after a minute: %s", sql)
		case <-tick.C:
		}
	}
}

func hashesIn(hashes *[]tlog.Hash) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for n, index := range indexes {
			found[n] = (*hashes)[index]
		}
		return found, nil
	}
}
