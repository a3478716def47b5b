package bucket_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
)

// discarding is a bucket of a service that takes everything and keeps nothing.
func discarding(tb testing.TB) *bucket.Bucket {
	tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	tb.Cleanup(server.Close)
	b, err := bucket.Open(tb.Context(), bucket.Config{
		Bucket: "archive", Region: "us-east-1", Endpoint: server.URL, ForcePathStyle: true, AccessKey: "key", SecretKey: "secret",
	})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// hashAndPut is what the worker does with the bytes of an image.
func hashAndPut(tb testing.TB, b *bucket.Bucket, body []byte) {
	tb.Helper()
	_, created, err := b.Put(tb.Context(), store.PutRequest{
		Key: "image.jpg", Body: bytes.NewReader(body), Size: int64(len(body)), ContentType: "image/jpeg", SHA256: sha256.Sum256(body),
	})
	if err != nil || !created {
		tb.Fatal(created, err)
	}
}

// BenchmarkHashAndPut includes the service, which runs in the same process.
func BenchmarkHashAndPut(b *testing.B) {
	for _, size := range []int{100 << 10, 300 << 10, 3 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			archive, body := discarding(b), make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				hashAndPut(b, archive, body)
			}
		})
	}
}

// TestPutCopiesNoBody: what a put allocates, service included, does not depend
// on the size of the object, but for the piece of 32 KiB in which it is sent.
func TestPutCopiesNoBody(t *testing.T) {
	archive := discarding(t)
	allocates := func(size int) int {
		const puts = 20
		body := make([]byte, size)
		hashAndPut(t, archive, body) // opens the connection
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range puts {
			hashAndPut(t, archive, body)
		}
		runtime.ReadMemStats(&after)
		return int(after.TotalAlloc-before.TotalAlloc) / puts
	}
	small, large := allocates(1<<10), allocates(2<<20)
	t.Logf("a put of 1 KiB allocates %d bytes, one of 2 MiB %d", small, large)
	if small > 128<<10 || large-small > 64<<10 {
		t.Errorf("a put of 1 KiB allocates %d bytes, one of 2 MiB %d", small, large)
	}
}
