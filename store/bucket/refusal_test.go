package bucket_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
)

var kinds = []error{
	store.ErrNotFound, store.ErrExists, store.ErrBucketMissing, store.ErrRegion, store.ErrDenied,
	store.ErrUnavailable, store.ErrBucketRefuses, store.ErrObjectRefused, store.ErrCold,
}

// proxyPage is an answer of a proxy, which speaks no XML.
func proxyPage(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(code)
		_, _ = w.Write([]byte("<html><body><h1>No<hr></body></html>"))
	}
}

// A no to a write or a listing is the bucket's where the same no to a read is that
// of the object.
func TestRefusalsHaveAKind(t *testing.T) {
	t.Parallel()
	const proxied = "a proxy's page"
	whole, object, away := store.ErrBucketRefuses, store.ErrObjectRefused, store.ErrUnavailable
	tests := []struct {
		status          int
		code            string
		put, list, read error
		text            string // part of what a write is told
	}{
		{400, "KMS.DisabledException", whole, whole, object, "enable the KMS key"},
		{400, "KMS.KMSInvalidStateException", whole, whole, object, "enable the KMS key"},
		{400, "KMS.NotFoundException", whole, whole, object, "archive.encryption"},
		{400, "InvalidRequest", whole, whole, object, "words of the service; doctor shows"},
		{400, "SomethingNew", whole, whole, object, "words of the service; doctor shows"},
		{400, "", whole, whole, object, "doctor shows"},
		{400, proxied, whole, whole, object, "doctor shows"},
		{402, "", whole, whole, object, "doctor shows"},
		{404, "", whole, whole, store.ErrNotFound, "doctor shows"},
		{405, "MethodNotAllowed", whole, whole, store.ErrNotFound, "doctor shows"},
		{405, proxied, whole, whole, store.ErrNotFound, "doctor shows"},
		{411, "MissingContentLength", whole, whole, object, "doctor shows"},
		{302, proxied, whole, whole, object, "doctor shows"},
		{501, "NotImplemented", whole, whole, object, "archive.object_lock"},
		{501, proxied, whole, whole, object, "archive.object_lock"},
		{403, "QuotaExceeded", whole, whole, object, "make room"},
		{400, "XMinioAdminBucketQuotaExceeded", whole, whole, object, "make room"},
		{507, "XMinioStorageFull", whole, whole, object, "make room"},
		{507, "InsufficientStorage", whole, whole, object, "make room"},
		{507, proxied, whole, whole, object, "make room"},

		{400, "EntityTooLarge", object, object, object, "raise the limit"},
		{400, "MetadataTooLarge", object, object, object, "raise the limit"},
		{413, "", object, object, object, "raise the limit"},
		{413, proxied, object, object, object, "raise the limit"},

		{403, "AccessDenied", store.ErrDenied, store.ErrDenied, store.ErrDenied, "s3:PutObject"},
		{403, proxied, store.ErrDenied, store.ErrDenied, store.ErrDenied, "s3:PutObject"},
		{403, "InvalidObjectState", store.ErrCold, store.ErrCold, store.ErrCold, "restore it first"},
		{404, "NoSuchBucket", store.ErrBucketMissing, store.ErrBucketMissing, store.ErrBucketMissing, "archive.bucket"},
		{301, "PermanentRedirect", store.ErrRegion, store.ErrRegion, store.ErrRegion, "archive.region"},
		{400, "AuthorizationHeaderMalformed", store.ErrRegion, store.ErrRegion, store.ErrRegion, "archive.region"},

		{400, "BadDigest", away, away, away, "on the way"},
		{400, "IncompleteBody", away, away, away, "on the way"},
		{400, "RequestTimeout", away, away, away, "later"},
		{400, "ThrottlingException", away, away, away, ""},
		{400, "KMS.ThrottlingException", away, away, away, "later"},
		{429, "", away, away, away, "later"},
		{500, "InternalError", away, away, away, "later"},
		{503, proxied, away, away, away, "later"},
		{520, proxied, away, away, away, ""},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status, " ", test.code), func(t *testing.T) {
			t.Parallel()
			reply := status(test.status, test.code)
			if test.code == proxied {
				reply = proxyPage(test.status)
			}
			w := newWire(t, httptest.NewServer, script(reply))
			cfg := w.config()
			cfg.Attempts = 1
			b := open(t, cfg)
			_, _, err := b.Put(t.Context(), putRequest())
			checkKind(t, "put", err, test.put)
			parts := []string{fmt.Sprint("HTTP ", test.status), test.text}
			if test.code != proxied {
				parts = append(parts, test.code)
			}
			for _, part := range parts {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("put: %q is not in: %v", part, err)
				}
			}
			checkKind(t, "list", last(b.List(t.Context(), "p/")), test.list)
			checkKind(t, "list versions", last(b.ListVersions(t.Context(), "p/")), test.list)
			_, _, err = b.Get(t.Context(), "p/k.jpg", "")
			checkKind(t, "get", err, test.read)
		})
	}
}

// checkKind wants the one kind and no other.
func checkKind(t *testing.T, what string, err, want error) {
	t.Helper()
	for _, kind := range kinds {
		if errors.Is(err, kind) != errors.Is(want, kind) {
			t.Errorf("%s: errors.Is(%v, %v) is %t", what, err, kind, errors.Is(err, kind))
		}
	}
}

// An object to replace may be missing, which is no refusal; a no to the new one
// is.
func TestRefusedReplacement(t *testing.T) {
	t.Parallel()
	for code, test := range map[string]struct {
		status int
		want   error
	}{"NoSuchKey": {404, store.ErrNotFound}, "KMS.DisabledException": {400, store.ErrBucketRefuses}} {
		w := newWire(t, httptest.NewServer, script(status(test.status, code)))
		request := putRequest()
		request.IfMatch = "etag0"
		_, _, err := open(t, w.config()).Put(t.Context(), request)
		checkKind(t, code, err, test.want)
	}
}

// An answer that is final is not asked for again.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	w := newWire(t, httptest.NewServer, script(status(400, "InvalidRequest")))
	_, _, err := open(t, w.config()).Put(t.Context(), putRequest())
	const want = `put "p/k.jpg" in bucket "archive": refused by the bucket (HTTP 400 InvalidRequest, request REQ1): ` +
		`words of the service; doctor shows what this bucket takes; mend it, then run again`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if got := w.methods(); got != "PUT " {
		t.Errorf("requests %q", got)
	}
	checkSecrets(t, err, w)
}

func TestAnySuccessIsSuccess(t *testing.T) {
	t.Parallel()
	w := newWire(t, httptest.NewServer, script(func(w http.ResponseWriter) {
		stored(w)
		w.WriteHeader(http.StatusCreated)
	}))
	if _, created, err := open(t, w.config()).Put(t.Context(), putRequest()); err != nil || !created || w.methods() != "PUT " {
		t.Errorf("created %t, %v, requests %q", created, err, w.methods())
	}
}

// A service whose clock differs is written to by its own clock.
func TestPutByTheClockOfTheService(t *testing.T) {
	t.Parallel()
	there := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	w := newWire(t, httptest.NewServer, func(_ int, rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Date", there)
		signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil || time.Since(signed) < 30*time.Minute {
			status(403, "RequestTimeTooSkewed")(rw)
			return
		}
		stored(rw)
	})
	b := open(t, w.config())
	for range 2 {
		if _, created, err := b.Put(t.Context(), putRequest()); err != nil || !created {
			t.Fatal(created, err)
		}
	}
	if got := w.methods(); got != "PUT PUT PUT " {
		t.Errorf("requests %q", got)
	}
}
