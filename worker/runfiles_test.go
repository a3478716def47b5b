package worker_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// standingSummary is a bucket in which another process has just put the run's
// summary.json. It keeps no checksum of it, and each question about it fails at
// first: it is not there, and then its body breaks off.
type standingSummary struct {
	worker.Bucket
	puts, heads, gets int
	sha256            string // of what stands there
}

func isSummary(key string) bool { return strings.HasSuffix(key, "/summary.json") }

var errAway = fmt.Errorf("%w: fault of the test", store.ErrUnavailable)

func (b *standingSummary) Put(ctx context.Context, request store.PutRequest) (store.Object, bool, error) {
	if !isSummary(request.Key) {
		return b.Bucket.Put(ctx, request)
	}
	if b.puts++; b.puts == 1 {
		other := request
		body := []byte(`{"run_id": "first", "ended_at": "a moment before"}`)
		other.Body, other.Size, other.SHA256 = bytes.NewReader(body), int64(len(body)), sha256.Sum256(body)
		b.sha256 = hex.EncodeToString(other.SHA256[:])
		other.Metadata = map[string]string{"sha256": b.sha256}
		if _, _, err := b.Bucket.Put(ctx, other); err != nil {
			return store.Object{}, false, err
		}
	}
	return b.Bucket.Put(ctx, request)
}

func (b *standingSummary) Head(ctx context.Context, key, versionID string) (store.Object, error) {
	if !isSummary(key) {
		return b.Bucket.Head(ctx, key, versionID)
	}
	if b.heads++; b.heads == 1 {
		return store.Object{}, errAway
	}
	object, err := b.Bucket.Head(ctx, key, versionID)
	object.SHA256 = ""
	return object, err
}

func (b *standingSummary) Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error) {
	if !isSummary(key) {
		return b.Bucket.Get(ctx, key, versionID)
	}
	if b.gets++; b.gets == 1 {
		return nil, store.Object{}, errAway
	}
	body, object, err := b.Bucket.Get(ctx, key, versionID)
	if b.gets == 2 && err == nil {
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(body, 10), iotest.ErrReader(io.ErrUnexpectedEOF)), body}, object, nil
	}
	return body, object, err
}

// A bucket that is away while a run is closed is waited for where it is asked, and
// the ledger is not blamed for it, nor are the run's files begun anew.
func TestBucketAwayWhileAStandingRunFileIsRead(t *testing.T) {
	t.Parallel()
	tn := archivetest.NewTenant(t, vlenstest.Options{People: 1, ImageBytes: 4 << 10})
	p := tn.Process("first", nil)
	defer p.Close()
	bucket := &standingSummary{Bucket: p.Bucket}
	p.Bucket = bucket
	report, err := p.Run(t.Context(), t.Context())
	if err != nil || !report.Closed {
		t.Errorf("closed: %t, %v", report.Closed, err)
	}
	// The last get is for the status that the file states.
	if bucket.puts != 1 || bucket.heads != 2 || bucket.gets != 4 {
		t.Errorf("%d puts, %d heads and %d gets of the file, want 1, 2 and 4", bucket.puts, bucket.heads, bucket.gets)
	}
	if log := tn.Log.String(); !strings.Contains(log, `"service":"the bucket"`) || strings.Contains(log, `"service":"the database"`) {
		t.Errorf("it is the bucket that was away:\n%s", log)
	}
	sums := runFolder(tn, "first") + "SHA256SUMS"
	if stated := string(tn.ObjectsUnder(sums)[sums].Body); !strings.Contains(stated, bucket.sha256) {
		t.Errorf("SHA256SUMS does not state what stands there, %s:\n%s", bucket.sha256, stated)
	}
}
