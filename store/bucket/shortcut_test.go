package bucket_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
)

// An upload by the shortcut is the upload of the SDK, which a configuration with
// a single attempt takes.
func TestShortcutSendsWhatTheSDKSends(t *testing.T) {
	t.Parallel()
	kms := bucket.Encryption{Mode: bucket.EncryptionKMS, KMSKeyID: "key1"}
	lock := bucket.ObjectLock{Mode: bucket.LockCompliance, Days: 10}
	tests := map[string]struct {
		config func(*bucket.Config)
		change func(*store.PutRequest)
	}{
		"plain":        {func(*bucket.Config) {}, func(*store.PutRequest) {}},
		"all at once":  {func(c *bucket.Config) { c.Encryption, c.ObjectLock = kms, lock }, func(*store.PutRequest) {}},
		"sse-s3":       {func(c *bucket.Config) { c.Encryption.Mode = bucket.EncryptionS3 }, func(*store.PutRequest) {}},
		"replacing":    {func(*bucket.Config) {}, func(r *store.PutRequest) { r.IfMatch = "abc" }},
		"odd key":      {func(*bucket.Config) {}, func(r *store.PutRequest) { r.Key = "p/a b+c=d/ü%41.jpg" }},
		"odd metadata": {func(*bucket.Config) {}, func(r *store.PutRequest) { r.Metadata = map[string]string{"fetched-at": "x", "EMPTY": ""} }},
		"no body":      {func(*bucket.Config) {}, func(r *store.PutRequest) { r.Body, r.Size = strings.NewReader(""), 0 }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := func(attempts int) exchange {
				w := newWire(t, httptest.NewServer, script(stored))
				cfg, request := w.config(), putRequest()
				test.config(&cfg)
				test.change(&request)
				cfg.Attempts = attempts
				if _, created, err := open(t, cfg).Put(t.Context(), request); err != nil || !created {
					t.Fatal(created, err)
				}
				return w.requests()[0]
			}
			bySDK, byShortcut := sent(1), sent(3)
			if !strings.Contains(bySDK.header.Get("User-Agent"), "aws-sdk") || strings.Contains(byShortcut.header.Get("User-Agent"), "aws-sdk") {
				t.Fatalf("agents %q and %q", bySDK.header.Get("User-Agent"), byShortcut.header.Get("User-Agent"))
			}
			if bySDK.path != byShortcut.path || string(bySDK.body) != string(byShortcut.body) {
				t.Errorf("path %q, body %q; the SDK sends %q and %q", byShortcut.path, byShortcut.body, bySDK.path, bySDK.body)
			}
			wanted, got := telling(bySDK.header), telling(byShortcut.header)
			if !maps.Equal(wanted, got) {
				t.Errorf("headers\n%v\nthe SDK sends\n%v", got, wanted)
			}
		})
	}
}

// telling are the headers that say something to the service about the object.
func telling(header http.Header) map[string]string {
	told := map[string]string{}
	for name := range header {
		switch name {
		case "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "User-Agent", "Accept-Encoding", "Authorization", "X-Amz-Date":
		case "X-Amz-Object-Lock-Retain-Until-Date":
			until, err := time.Parse(time.RFC3339, header.Get(name))
			if err != nil {
				told[name] = err.Error()
				continue
			}
			told[name] = until.Format(time.DateOnly)
		default:
			told[name] = header.Get(name)
		}
	}
	return told
}

// A clock that differs is the SDK's affair, which signs again by the other one,
// and from then on all uploads are.
func TestShortcutLeavesWrongClocksToTheSDK(t *testing.T) {
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
	var agents []string
	for _, r := range w.requests() {
		name, _, _ := strings.Cut(r.header.Get("User-Agent"), "/")
		agents = append(agents, name)
	}
	if got := strings.Join(agents, " "); got != "Go-http-client aws-sdk-go-v2 aws-sdk-go-v2 aws-sdk-go-v2" {
		t.Errorf("sent by %q", got)
	}
}

// An answer that is final is not asked for again.
func TestShortcutRefusedForGood(t *testing.T) {
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
