package verify_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/vlens/vlenstest"
)

// coldBucket keeps what stands under some keys in an archive storage class.
type coldBucket struct {
	verify.Bucket
	part string
}

func (b coldBucket) Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error) {
	if strings.Contains(key, b.part) {
		return nil, store.Object{}, fmt.Errorf("get %q: %w", key, store.ErrCold)
	}
	return b.Bucket.Get(ctx, key, versionID)
}

// What has to be restored before it can be read is named and is no damage, and the
// rest is verified.
func TestArchiveStorageClass(t *testing.T) {
	t.Parallel()
	a := audittest.New(t, vlenstest.Options{People: 3})
	a.Run("first", nil)
	clean(t, check(a, store.VerifyDefault, func(v *verify.Verifier) { v.Bucket = coldBucket{v.Bucket, "/id_front."} }))

	report := check(a, store.VerifyDeep, func(v *verify.Verifier) { v.Bucket = coldBucket{v.Bucket, "/id_front."} })
	clean(t, report, verify.Cold)
	if n := report.Totals[verify.Cold]; n != 3 || report.Damaged != 0 {
		t.Errorf("%d are cold, %d damaged", n, report.Damaged)
	}
	report = check(a, store.VerifyDefault, func(v *verify.Verifier) { v.Bucket = coldBucket{v.Bucket, "/record."} })
	clean(t, report, verify.Cold)
	if n := report.Totals[verify.Cold]; n != 3 {
		t.Errorf("%d records are cold", n)
	}

	a.Remove(image(a))
	report = check(a, store.VerifyDeep, func(v *verify.Verifier) { v.Bucket = coldBucket{v.Bucket, "/liveness."} })
	if report.Damaged == 0 {
		t.Error("nothing is missing beside what is cold")
	}
}

// Ledgers and records of a bucket whose versioning is suspended may name the version
// "null", which a listing does not.
func TestVersionNull(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	a.Edit(`UPDATE archive.images SET version_id = 'null' WHERE state = 'stored'`)
	a.Edit(`UPDATE archive.records SET version_id = 'null'`)
	for _, mode := range []store.VerifyMode{store.VerifyDefault, store.VerifyDeep} {
		clean(t, check(a, mode))
	}
	if err := tryExport(a); err != nil {
		t.Error(err)
	}
}
