package bucket_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
)

var (
	payload    = []byte("the bytes of a picture")
	payloadSum = sha256.Sum256(payload)
	payloadHex = hex.EncodeToString(payloadSum[:])
	payloadB64 = base64.StdEncoding.EncodeToString(payloadSum[:])
)

func putRequest() store.PutRequest {
	return store.PutRequest{
		Key: "p/k.jpg", Body: bytes.NewReader(payload), Size: int64(len(payload)),
		ContentType: "image/jpeg", SHA256: payloadSum, Metadata: map[string]string{"sha256": payloadHex},
	}
}

// exchange is a request as it arrived.
type exchange struct {
	method, path string
	query        string
	header       http.Header
	body         []byte
}

// wire stands in place of S3: it keeps the requests and answers by script.
type wire struct {
	server *httptest.Server
	mu     sync.Mutex
	seen   []exchange
}

// answer writes the response to the n-th request, counted from 0.
type answer func(n int, w http.ResponseWriter, r *http.Request)

func newWire(t *testing.T, start func(http.Handler) *httptest.Server, reply answer) *wire {
	t.Helper()
	w := &wire{}
	w.server = start(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			body = nil
		}
		w.mu.Lock()
		n := len(w.seen)
		w.seen = append(w.seen, exchange{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), body})
		w.mu.Unlock()
		reply(n, rw, r)
	}))
	t.Cleanup(w.server.Close)
	return w
}

func (w *wire) requests() []exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

func (w *wire) methods() string {
	var methods string
	for _, r := range w.requests() {
		methods += r.method + " "
	}
	return methods
}

func (w *wire) config() bucket.Config {
	return bucket.Config{
		Bucket: "archive", Region: "me-central-1", Endpoint: w.server.URL, ForcePathStyle: true,
		AccessKey: "AKIDSECRETID", SecretKey: "the-secret-key", Attempts: 3,
	}
}

// script answers each request with the next step.
func script(steps ...func(w http.ResponseWriter)) answer {
	return func(n int, w http.ResponseWriter, _ *http.Request) { steps[min(n, len(steps)-1)](w) }
}

func status(code int, s3Code string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/xml")
		w.Header().Set("X-Amz-Request-Id", "REQ1")
		w.WriteHeader(code)
		if s3Code != "" {
			_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>words of the service</Message></Error>", s3Code)
		}
	}
}

func stored(w http.ResponseWriter) {
	w.Header().Set("ETag", `"etag1"`)
	w.Header().Set("X-Amz-Version-Id", "v1")
}

// standing answers a HEAD or GET with an object and the given headers.
func standing(body []byte, headers ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		stored(w)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body)
	}
}

// hangUp ends the connection without an answer.
func hangUp(http.ResponseWriter) { panic(http.ErrAbortHandler) }
