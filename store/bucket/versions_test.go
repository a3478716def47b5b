package bucket_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
)

// Where versioning is suspended, S3 calls the version of what is written "null", in
// answers and in listings; without versioning only in listings. It is no version.
func TestVersionsWithoutVersioning(t *testing.T) {
	t.Parallel()
	for name, answered := range map[string]string{"suspended": "null", "never enabled": ""} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.URL.Query().Has("versions") {
				fmt.Fprint(w, `<ListVersionsResult><Version><Key>k</Key><VersionId>null</VersionId><IsLatest>true</IsLatest><ETag>"e"</ETag><Size>3</Size></Version></ListVersionsResult>`)
				return
			}
			if answered != "" {
				w.Header().Set("X-Amz-Version-Id", answered)
			}
			w.Header().Set("ETag", `"e"`)
		}))
		t.Cleanup(server.Close)
		b := open(t, bucket.Config{Bucket: "b", Region: "us-east-1", Endpoint: server.URL, ForcePathStyle: true, AccessKey: "a", SecretKey: "b"})
		put, _, err := b.Put(t.Context(), store.PutRequest{Key: "k", Body: bytes.NewReader([]byte("abc")), Size: 3, ContentType: "text/plain", SHA256: sha256.Sum256([]byte("abc"))})
		if err != nil {
			t.Fatal(err)
		}
		head, err := b.Head(t.Context(), "k", "")
		if err != nil {
			t.Fatal(err)
		}
		body, got, err := b.Get(t.Context(), "k", "")
		if err != nil {
			t.Fatal(err)
		}
		_ = body.Close()
		for what, object := range map[string]store.Object{"put": put, "head": head, "get": got} {
			if object.VersionID != "" {
				t.Errorf("%s: %s has version %q", name, what, object.VersionID)
			}
		}
		for listed, err := range b.ListVersions(t.Context(), "k") {
			if err != nil || listed.VersionID != "" {
				t.Errorf("%s: listed as version %q, %v", name, listed.VersionID, err)
			}
		}
	}
}
