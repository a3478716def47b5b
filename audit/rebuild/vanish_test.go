package rebuild_test

import (
	"context"
	"io"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/rebuild"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
)

// vanishing deletes an object, the version itself, just before it is read.
type vanishing struct {
	rebuild.Bucket
	key string
	s3  *s3.Client
}

func (v vanishing) Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error) {
	if key == v.key {
		if _, err := v.s3.DeleteObject(ctx, &s3.DeleteObjectInput{
			Bucket: aws.String(archivetest.BucketName), Key: &key, VersionId: aws.String(versionID),
		}); err != nil {
			return nil, store.Object{}, err
		}
	}
	return v.Bucket.Get(ctx, key, versionID)
}

// A file of a run that is listed and gone when it is read costs the run its place
// in the ledger, and the rebuild nothing else.
func TestRebuildWhileAFileOfARunVanishes(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	was := r.Save()
	records := r.Count(`SELECT count(*) FROM archive.records`)
	for _, name := range []string{"SHA256SUMS", "summary.json", "manifest.jsonl.gz"} {
		t.Run(name, func(t *testing.T) {
			defer was.Restore()
			key := ofFirstRun(r, "/"+name)
			lose(r)
			rebuilt, leftOut, err := rebuildLedger(t.Context(), r, func(b *rebuild.Rebuilder) {
				b.Bucket = vanishing{Bucket: b.Bucket, key: key, s3: r.S3.Client()}
			})
			if err != nil || !slices.Equal(leftOut, []string{key}) {
				t.Fatalf("left out %q, %v; want %s", leftOut, err, key)
			}
			if rebuilt.Records != records {
				t.Errorf("%d records, want %d", rebuilt.Records, records)
			}
		})
	}
}
