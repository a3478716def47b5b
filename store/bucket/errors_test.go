package bucket_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
)

func TestAnswersHaveMeanings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status   int
		code     string
		want     error
		requests int
		text     string // part of the message
	}{
		{404, "NoSuchKey", store.ErrNotFound, 1, ""},
		{404, "NoSuchVersion", store.ErrNotFound, 1, ""},
		{404, "", store.ErrNotFound, 1, ""},
		{405, "MethodNotAllowed", store.ErrNotFound, 1, ""},
		{404, "NoSuchBucket", store.ErrBucketMissing, 1, "archive.bucket"},
		{401, "", store.ErrDenied, 1, "credentials"},
		{403, "", store.ErrDenied, 1, "s3:PutObject"},
		{403, "AccessDenied", store.ErrDenied, 1, "s3:PutObject"},
		{403, "InvalidAccessKeyId", store.ErrDenied, 1, "credentials"},
		{403, "SignatureDoesNotMatch", store.ErrDenied, 1, "credentials"},
		{400, "ExpiredToken", store.ErrDenied, 1, "credentials"},
		{301, "PermanentRedirect", store.ErrRegion, 1, "archive.region"},
		{400, "AuthorizationHeaderMalformed", store.ErrRegion, 1, "archive.region"},
		{501, "NotImplemented", store.ErrObjectRefused, 1, "archive.object_lock"},
		{400, "InvalidRequest", store.ErrObjectRefused, 1, "words of the service"},
		{500, "InternalError", store.ErrUnavailable, 2, "later"},
		{502, "", store.ErrUnavailable, 2, "later"},
		{503, "SlowDown", store.ErrUnavailable, 2, "later"},
		{504, "", store.ErrUnavailable, 2, "later"},
	}
	for _, test := range tests {
		t.Run(strings.TrimSpace(http.StatusText(test.status)+" "+test.code), func(t *testing.T) {
			t.Parallel()
			w := newWire(t, httptest.NewServer, script(status(test.status, test.code)))
			cfg := w.config()
			cfg.Attempts = 2
			_, _, err := open(t, cfg).Get(t.Context(), "p/k.jpg", "")
			if err == nil {
				t.Fatal("no error")
			}
			checkKind(t, "get", err, test.want)
			if got := len(w.requests()); got != test.requests {
				t.Errorf("%d requests, want %d", got, test.requests)
			}
			for _, part := range []string{`get "p/k.jpg" in bucket "archive"`, test.text, test.code} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in: %v", part, err)
				}
			}
			checkSecrets(t, err, w)
		})
	}
}

func checkSecrets(t *testing.T, err error, w *wire) {
	t.Helper()
	for _, secret := range []string{"AKIDSECRETID", "the-secret-key", w.server.URL, "Signature="} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is in: %v", secret, err)
		}
	}
}

func TestRetriesEndInSuccess(t *testing.T) {
	t.Parallel()
	w := newWire(t, httptest.NewServer, script(status(503, "SlowDown"), hangUp, stored))
	_, created, err := open(t, w.config()).Put(t.Context(), putRequest())
	if err != nil || !created {
		t.Fatalf("created %t, %v", created, err)
	}
	for _, r := range w.requests() {
		if string(r.body) != string(payload) {
			t.Errorf("body %q", r.body)
		}
	}
	if got := w.methods(); got != "PUT PUT PUT " {
		t.Errorf("requests %q", got)
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	w := newWire(t, httptest.NewServer, script(stored))
	w.server.Close()
	b := open(t, w.config())
	_, err := b.Head(t.Context(), "k", "")
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "connection refused") {
		t.Fatal(err)
	}
	checkSecrets(t, err, w)
	for _, err := range b.List(t.Context(), "") {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Fatal(err)
		}
	}
}

func TestSilentServerIsUnavailable(t *testing.T) {
	t.Parallel()
	silence := make(chan struct{})
	w := newWire(t, httptest.NewServer, func(_ int, _ http.ResponseWriter, _ *http.Request) { <-silence })
	t.Cleanup(func() { close(silence) }) // before the server is closed
	cfg := w.config()
	cfg.Attempts, cfg.Stall = 1, 50*time.Millisecond
	_, err := open(t, cfg).Head(t.Context(), "k", "")
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "timeout") {
		t.Fatal(err)
	}

	cfg.Stall = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err = open(t, cfg).Put(ctx, putRequest())
	if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestBrokenBody(t *testing.T) {
	t.Parallel()
	w := newWire(t, httptest.NewServer, func(_ int, w http.ResponseWriter, _ *http.Request) {
		stored(w)
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write(payload)
	})
	body, _, err := open(t, w.config()).Get(t.Context(), "k", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	if _, err := io.ReadAll(body); !errors.Is(err, store.ErrUnavailable) {
		t.Fatal(err)
	}
}

func TestNoCredentials(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	w := newWire(t, httptest.NewServer, script(stored))
	cfg := w.config()
	cfg.AccessKey, cfg.SecretKey = "", ""
	_, _, err := open(t, cfg).Put(t.Context(), putRequest())
	if !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "AWS_ACCESS_KEY_ID") {
		t.Fatal(err)
	}

	t.Setenv("AWS_ACCESS_KEY_ID", "from-environment")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	if _, _, err := open(t, cfg).Put(t.Context(), putRequest()); err != nil {
		t.Fatal(err)
	}
	if seen := w.requests(); len(seen) != 1 || !strings.Contains(seen[0].header.Get("Authorization"), "from-environment") {
		t.Fatalf("%s", w.methods())
	}
}

func TestUnusableConfiguration(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	good := bucket.Config{Bucket: "b", Region: "r"}
	tests := map[string]func(*bucket.Config){
		"archive.bucket":        func(c *bucket.Config) { c.Bucket = "" },
		"archive.region":        func(c *bucket.Config) { c.Region = "" },
		"encryption mode":       func(c *bucket.Config) { c.Encryption.Mode = "aes" },
		"object lock mode":      func(c *bucket.Config) { c.ObjectLock.Mode = "legal" },
		"needs days":            func(c *bucket.Config) { c.ObjectLock.Mode = bucket.LockCompliance },
		"has 3 days but no mod": func(c *bucket.Config) { c.ObjectLock.Days = 3 },
	}
	for want, spoil := range tests {
		cfg := good
		spoil(&cfg)
		if _, err := bucket.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	b := open(t, good)
	if got, want := b.Location(), (store.Location{Region: "r", Bucket: "b", Encryption: "none", LockMode: "none"}); got != want {
		t.Errorf("location %+v, want %+v", got, want)
	}
}
