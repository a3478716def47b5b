package audit_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"golang.org/x/mod/sumdb/note"

	"vlens-archiver/audit"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens/vlenstest"
)

// archived is a company whose users are archived, and what verification needs.
type archived struct {
	*archivetest.Tenant
	bucket *bucket.Bucket
	ledger *postgres.Ledger
	s3     *s3.Client
	layout manifest.Layout
}

func newArchived(t *testing.T, kind s3server.BucketKind, lock bucket.ObjectLock, options vlenstest.Options) *archived {
	t.Helper()
	if options.ImageBytes == 0 {
		options.ImageBytes = 8 << 10
	}
	a := &archived{Tenant: archivetest.NewTenantIn(t, kind, lock, options), layout: manifest.Layout{Prefix: archivetest.Prefix}}
	a.Seals = true
	a.bucket, a.s3 = a.OpenBucket(), a.S3.Client()
	ledger, err := postgres.OpenLedger(t.Context(), store.Sensitive(a.LedgerURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ledger.Close)
	a.ledger = ledger
	return a
}

// verify verifies with the mode; change edits the verifier.
func (a *archived) verify(mode store.VerifyMode, changes ...func(*audit.Verifier)) audit.VerifyReport {
	a.T.Helper()
	key, err := note.NewVerifier(archivetest.VerifierKey)
	if err != nil {
		a.T.Fatal(err)
	}
	v := &audit.Verifier{
		LogKey: key, SubjectOf: a.Key().Subject,
		Options: audit.Options{Mode: mode, Sample: 100, Decode: 100, Seed: "seed", Parallel: 8},
		Ledger:  a.ledger, Bucket: a.bucket, Layout: a.layout,
		Identity: a.identity(), Tool: manifest.Tool{Version: "test"}, Actor: "auditor",
	}
	for _, change := range changes {
		change(v)
	}
	report, err := v.Verify(a.T.Context())
	if err != nil {
		a.T.Fatal(err)
	}
	return report
}

func (a *archived) identity() store.ArchiveIdentity {
	identity := archivetest.WorkerConfig("any", a.Key(), "").Identity
	identity.Place = archivetest.BucketName + "/" + archivetest.Prefix
	return identity
}

// keys are the keys that have all of the parts, in order.
func (a *archived) keys(parts ...string) []string {
	a.T.Helper()
	var keys []string
	for o, err := range a.bucket.List(a.T.Context(), a.layout.Prefix+"/") {
		if err != nil {
			a.T.Fatal(err)
		}
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(o.Key, part) }) {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

func (a *archived) key(parts ...string) string {
	a.T.Helper()
	keys := a.keys(parts...)
	if len(keys) == 0 {
		a.T.Fatalf("no key with %q", parts)
	}
	return keys[0]
}

// put writes an object behind the program's back.
func (a *archived) put(key string, o archivetest.Object) {
	a.T.Helper()
	_, err := a.s3.PutObject(a.T.Context(), &s3.PutObjectInput{
		Bucket: aws.String(archivetest.BucketName), Key: &key, Body: strings.NewReader(string(o.Body)),
		Metadata: o.Metadata, ContentType: aws.String(o.MIME), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		a.T.Fatal(err)
	}
}

func (a *archived) get(key string) archivetest.Object {
	a.T.Helper()
	got, err := a.s3.GetObject(a.T.Context(), &s3.GetObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key})
	if err != nil {
		a.T.Fatalf("get %q: %v", key, err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		a.T.Fatal(err)
	}
	return archivetest.Object{Body: body, Metadata: got.Metadata, MIME: aws.ToString(got.ContentType)}
}

func (a *archived) remove(key string) {
	a.T.Helper()
	_, err := a.s3.DeleteObject(context.WithoutCancel(a.T.Context()), &s3.DeleteObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key})
	if err != nil {
		a.T.Fatal(err)
	}
}

// edit changes the ledger as somebody would who may switch its triggers off.
func (a *archived) edit(sql string, args ...any) {
	a.T.Helper()
	for n, arg := range args {
		sql = strings.ReplaceAll(sql, fmt.Sprintf("$%d", n+1), "'"+fmt.Sprint(arg)+"'")
	}
	a.ExecLedger(`DO $do$ BEGIN SET LOCAL session_replication_role = replica; ` + sql + `; END $do$`)
}

// has reports whether the report has the finding.
func has(r audit.VerifyReport, sort audit.Sort, key string) bool {
	return slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Sort == sort && f.Key == key })
}

// clean fails the test when there is any damage, or a warning that is not
// expected.
func clean(t *testing.T, r audit.VerifyReport, warnings ...audit.Sort) {
	t.Helper()
	for _, finding := range r.Findings {
		if !slices.Contains(warnings, finding.Sort) {
			t.Errorf("unexpected finding: %+v", finding)
		}
	}
}

// removeVersion deletes the latest version itself, as who may bypass everything.
func (a *archived) removeVersion(key string) {
	a.T.Helper()
	head, err := a.s3.HeadObject(a.T.Context(), &s3.HeadObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key})
	if err != nil {
		a.T.Fatal(err)
	}
	_, err = a.s3.DeleteObject(a.T.Context(), &s3.DeleteObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key, VersionId: head.VersionId})
	if err != nil {
		a.T.Fatal(err)
	}
}

// shorten makes the lock of an object end in a day.
func (a *archived) shorten(key string) {
	a.T.Helper()
	_, err := a.s3.PutObjectRetention(a.T.Context(), &s3.PutObjectRetentionInput{
		Bucket: aws.String(archivetest.BucketName), Key: &key, BypassGovernanceRetention: aws.Bool(true),
		Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeGovernance, RetainUntilDate: aws.Time(time.Now().Add(24 * time.Hour))},
	})
	if err != nil {
		a.T.Fatal(err)
	}
}
