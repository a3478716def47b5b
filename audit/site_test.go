package audit_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
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
	return &reader{Tenant: tn, ledger: ledger, bucket: objects, layout: manifest.Layout{Prefix: archivetest.Prefix}}
}

func (r *reader) exporter() audit.Exporter {
	identity := archivetest.WorkerConfig("", r.Key(), "").Identity
	return audit.Exporter{
		Ledger: r.ledger, Bucket: r.bucket, Layout: r.layout, Identity: identity, VerifierKey: r.verifier,
		Actor: "auditor@test", Tool: manifest.Tool{Version: "test", Commit: "none"},
	}
}

// seal puts all records that have no place in the log there, and publishes it.
func (r *reader) seal() {
	r.T.Helper()
	text, err := manifest.GenerateSigningKey("acme.example/vlens-archive")
	if err != nil {
		r.T.Fatal(err)
	}
	key, err := manifest.ParseSigningKey(text)
	if err != nil {
		r.T.Fatal(err)
	}
	r.ExecLedger(`
		INSERT INTO archive.log_entries (log_index, sha256, kind, key)
		SELECT row_number() OVER (ORDER BY archived_at, key) - 1, sha256, 'record', key FROM archive.records`)
	var entries []manifest.Entry
	var hashes []tlog.Hash
	for _, sum := range archivetest.Query[string](r.Tenant, `SELECT sha256 FROM archive.log_entries ORDER BY log_index`) {
		var entry manifest.Entry
		if _, err := hex.Decode(entry[:], []byte(sum)); err != nil {
			r.T.Fatal(err)
		}
		more, err := tlog.StoredHashesForRecordHash(int64(len(entries)), manifest.LeafHash(entry), hashesIn(&hashes))
		if err != nil {
			r.T.Fatal(err)
		}
		entries, hashes = append(entries, entry), append(hashes, more...)
	}
	size := int64(len(entries))
	for _, tile := range manifest.NewTiles(0, size) {
		body := manifest.EncodeEntries(entries[min(size, tile.N*256):min(size, tile.N*256+int64(tile.W))])
		if tile.L != manifest.EntryLevel {
			if body, err = tlog.ReadTileData(tile, hashesIn(&hashes)); err != nil {
				r.T.Fatal(err)
			}
		}
		r.put(r.layout.Tile(tile), body)
	}
	root, err := tlog.TreeHash(size, hashesIn(&hashes))
	if err != nil {
		r.T.Fatal(err)
	}
	checkpoint, err := manifest.Checkpoint{Origin: key.Origin(), Size: size, Root: root}.Sign(key.Signer())
	if err != nil {
		r.T.Fatal(err)
	}
	r.put(r.layout.Checkpoint(), checkpoint)
	head, err := r.S3.Client().HeadObject(r.T.Context(), &s3.HeadObjectInput{Bucket: aws.String(archivetest.BucketName), Key: aws.String(r.layout.Checkpoint())})
	if err != nil {
		r.T.Fatal(err)
	}
	r.ExecLedger(`UPDATE archive.log SET size = $1, root = $2, etag = $3`, size, root.String(), strings.Trim(*head.ETag, `"`))
	r.verifier = key.VerifierKey()
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

func (r *reader) put(key string, body []byte) {
	r.T.Helper()
	if _, _, err := r.bucket.Put(r.T.Context(), store.PutRequest{
		Key: key, Body: bytes.NewReader(body), Size: int64(len(body)), SHA256: sha256.Sum256(body), ContentType: "application/octet-stream",
	}); err != nil {
		r.T.Fatal(err)
	}
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

// tile is the key of the log's first tile.
func (r *reader) tile() string {
	r.T.Helper()
	for key := range r.ObjectsUnder(r.layout.Tiles() + "0/") {
		return key
	}
	r.T.Fatal("no tile")
	return ""
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
