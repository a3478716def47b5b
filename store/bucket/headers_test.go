package bucket_test

import (
	"bytes"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
)

func TestPutHeaders(t *testing.T) {
	t.Parallel()
	always := map[string]string{
		"X-Amz-Checksum-Sha256": payloadB64,
		"X-Amz-Content-Sha256":  payloadHex,
		"Content-Type":          "image/jpeg",
		"X-Amz-Meta-Sha256":     payloadHex,
		// What the SDK would add by default, and other services refuse.
		"X-Amz-Trailer":                "",
		"X-Amz-Sdk-Checksum-Algorithm": "",
		"X-Amz-Checksum-Crc32":         "",
		"Content-Encoding":             "",
	}
	tests := []struct {
		name   string
		config func(*bucket.Config)
		change func(*store.PutRequest)
		want   map[string]string
	}{
		{"create only", nil, nil, map[string]string{
			"If-None-Match": "*", "If-Match": "", "X-Amz-Server-Side-Encryption": "", "X-Amz-Object-Lock-Mode": "", "X-Amz-Object-Lock-Retain-Until-Date": "",
		}},
		{"replace", nil, func(r *store.PutRequest) { r.IfMatch = "abc" }, map[string]string{"If-None-Match": "", "If-Match": `"abc"`}},
		{"sse-s3", func(c *bucket.Config) { c.Encryption.Mode = bucket.EncryptionS3 }, nil, map[string]string{
			"X-Amz-Server-Side-Encryption": "AES256", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "",
		}},
		{"sse-kms", func(c *bucket.Config) {
			c.Encryption = bucket.Encryption{Mode: bucket.EncryptionKMS, KMSKeyID: "key1"}
		}, nil, map[string]string{
			"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "key1", "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true",
		}},
		{"sse-kms with the account's key", func(c *bucket.Config) { c.Encryption.Mode = bucket.EncryptionKMS }, nil, map[string]string{
			"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "",
		}},
		{"governance", func(c *bucket.Config) { c.ObjectLock = bucket.ObjectLock{Mode: bucket.LockGovernance, Days: 1} }, nil, map[string]string{
			"X-Amz-Object-Lock-Mode": "GOVERNANCE",
		}},
		{"compliance", func(c *bucket.Config) { c.ObjectLock = bucket.ObjectLock{Mode: bucket.LockCompliance, Days: 10} }, nil, map[string]string{
			"X-Amz-Object-Lock-Mode": "COMPLIANCE",
		}},
		{
			"unlocked", func(c *bucket.Config) { c.ObjectLock = bucket.ObjectLock{Mode: bucket.LockCompliance, Days: 10} },
			func(r *store.PutRequest) { r.Unlocked = true },
			map[string]string{
				"X-Amz-Object-Lock-Mode": "", "X-Amz-Object-Lock-Retain-Until-Date": "",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, httptest.NewServer, script(stored))
			cfg, request := w.config(), putRequest()
			if test.config != nil {
				test.config(&cfg)
			}
			if test.change != nil {
				test.change(&request)
			}
			object, created, err := open(t, cfg).Put(t.Context(), request)
			if err != nil || !created || object.ETag != "etag1" || object.VersionID != "v1" {
				t.Fatalf("%+v, created %t, %v", object, created, err)
			}
			seen := w.requests()
			if len(seen) != 1 || seen[0].method != http.MethodPut || seen[0].path != "/archive/p/k.jpg" || !bytes.Equal(seen[0].body, payload) {
				t.Fatalf("requests: %s", w.methods())
			}
			for _, expected := range []map[string]string{always, test.want} {
				for name, want := range expected {
					if got := seen[0].header.Get(name); got != want {
						t.Errorf("%s: %q, want %q", name, got, want)
					}
				}
			}
			if cfg.ObjectLock.Days > 0 && !request.Unlocked {
				until, err := time.Parse(time.RFC3339, seen[0].header.Get("X-Amz-Object-Lock-Retain-Until-Date"))
				if want := time.Now().AddDate(0, 0, cfg.ObjectLock.Days); err != nil || until.Sub(want).Abs() > time.Minute {
					t.Errorf("retain until %s, want %s, %v", until, want, err)
				}
				if !object.RetainUntil.Equal(until) || object.LockMode != cfg.ObjectLock.Mode {
					t.Errorf("object says %q until %s", object.LockMode, object.RetainUntil)
				}
			}
		})
	}
}

// A company's own certificate authority is named in AWS_CA_BUNDLE.
func TestCertificateAuthorityOfTheEnvironment(t *testing.T) {
	w := newWire(t, func(h http.Handler) *httptest.Server {
		server := httptest.NewUnstartedServer(h)
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // the refused handshake is expected
		server.StartTLS()
		return server
	}, script(stored))
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}

	cfg := w.config()
	cfg.Attempts = 1
	_, _, err := open(t, cfg).Put(t.Context(), putRequest())
	if err == nil || !strings.Contains(err.Error(), "AWS_CA_BUNDLE") {
		t.Fatalf("unknown authority: %v", err)
	}

	t.Setenv("AWS_CA_BUNDLE", file)
	if _, _, err := open(t, cfg).Put(t.Context(), putRequest()); err != nil {
		t.Fatal(err)
	}
	header := w.requests()[0].header
	if header.Get("X-Amz-Content-Sha256") != payloadHex || header.Get("X-Amz-Trailer") != "" {
		t.Errorf("over TLS: %v", header)
	}
}
