package vlens_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/vlens"
)

const (
	loginPath   = "/api/credentials/Login"
	refreshPath = "/api/credentials/RefreshToken"
	listPath    = "/api/DigitalIdentity/GetUserDigitalIdentityImages"
	imagePath   = "/api/DigitalIdentity/GetStepImage"

	phone       = "+201001234567"
	fileName    = "user123_id_front_20240601.jpg"
	transaction = "0f8fad5b-d9cb-469f-a165-70867728950e"
)

// vendor is the API with whatever manners a test gives it. It runs inside the
// test's bubble: real HTTP over pipes, on a clock that only moves when everyone
// waits.
type vendor struct {
	Login, Refresh, List, Image http.HandlerFunc

	transport *http.Transport

	mu       sync.Mutex
	requests []request
}

type request struct {
	path, rawQuery, body string
	header               http.Header
	length               int64 // -1: chunked
	at                   time.Time
}

// bubble runs a test with a vendor that is well-behaved until told otherwise.
func bubble(t *testing.T, test func(t *testing.T, v *vendor)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := &vendor{
			Login:   says(200, tokens("access-1", "refresh-1", 86400)),
			Refresh: says(200, tokens("access-2", "", 86400)),
			List:    says(200, listing(`"idFrontImage":"`+fileName+`"`)),
			Image:   says(200, imageBody(photo)),
		}
		listener := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: v}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(listener)
		}()
		v.transport = &http.Transport{DialContext: listener.dial, DisableCompression: true, MaxIdleConnsPerHost: 100}
		defer func() {
			v.transport.CloseIdleConnections()
			_ = server.Close()
			<-served
		}()
		test(t, v)
	})
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	v.mu.Lock()
	v.requests = append(v.requests, request{r.URL.Path, r.URL.RawQuery, string(body), r.Header.Clone(), r.ContentLength, time.Now()})
	v.mu.Unlock()
	switch r.URL.Path {
	case loginPath:
		v.Login(w, r)
	case refreshPath:
		v.Refresh(w, r)
	case listPath:
		v.List(w, r)
	case imagePath:
		v.Image(w, r)
	default:
		http.NotFound(w, r)
	}
}

// seen are the requests to a path, or all with "".
func (v *vendor) seen(path string) []request {
	v.mu.Lock()
	defer v.mu.Unlock()
	var found []request
	for _, r := range v.requests {
		if path == "" || r.path == path {
			found = append(found, r)
		}
	}
	return found
}

func (v *vendor) wantRequests(t *testing.T, logins, refreshes, lists, images int) {
	t.Helper()
	got := [4]int{len(v.seen(loginPath)), len(v.seen(refreshPath)), len(v.seen(listPath)), len(v.seen(imagePath))}
	if want := [4]int{logins, refreshes, lists, images}; got != want {
		t.Errorf("requests [login refresh list image] = %v, want %v", got, want)
	}
}

// client asks the vendor; change may adjust the configuration.
func (v *vendor) client(t *testing.T, change func(*vlens.Config)) *vlens.Client {
	t.Helper()
	config := vlens.Config{
		BaseURL: "http://localhost", APIKey: "key-1", TenancyName: "acme", Username: "archiver", Password: "open sesame",
		Timeout: time.Minute, MaxImageBytes: 1 << 20, Attempts: 4, Transport: v.transport,
	}
	if change != nil {
		change(&config)
	}
	c, err := vlens.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func once(c *vlens.Config) { c.Attempts = 1 }

// says answers with a status and a body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// inTurn answers with one after another, and with the last for ever.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		next := handlers[0]
		if len(handlers) > 1 {
			handlers = handlers[1:]
		}
		mu.Unlock()
		next(w, r)
	}
}

// withToken answers by one of two, depending on the bearer token.
func withToken(access string, yes, no http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer "+access {
			yes(w, r)
			return
		}
		no(w, r)
	}
}

func tokens(access, refresh string, seconds int) string {
	return fmt.Sprintf(`{"data":{"accessToken":%q,"refreshToken":%q,"expireInSeconds":%d,"apiKey":"k","bundleKey":"b"}}`, access, refresh, seconds)
}

func listing(members string) string {
	return `{"data":{` + members + `},"error_code":null,"error_message":null,"error_descriptions":null}`
}

func imageText(text string) string {
	return `{"data":{"image":"` + text + `"},"error_code":0,"error_message":null}`
}

func imageBody(b []byte) string { return imageText(base64.StdEncoding.EncodeToString(b)) }

// photo is a small complete JPEG of 24 by 16 pixels.
var photo = jpegPhoto(24, 16)

func jpegPhoto(width, height int) []byte {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for n := range width * height {
		picture.Set(n%width, n/width, color.RGBA{byte(n * 7), byte(n * 13), byte(n * 29), 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

var wanted = vlens.ImageRequest{TransactionID: transaction, FileName: fileName}

// pipeListener is a network of two: whatever is dialled is accepted here.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// repeat is a handler list of n times the same.
func repeat(n int, h http.HandlerFunc) []http.HandlerFunc {
	list := make([]http.HandlerFunc, n)
	for i := range list {
		list[i] = h
	}
	return list
}

func wantFault(t *testing.T, err error, want vlens.Error) {
	t.Helper()
	got, ok := err.(*vlens.Error) //nolint:errorlint // returned once, not wrapped
	if !ok {
		t.Fatalf("error %v (%T), want fault %s", err, err, want.Fault)
	}
	if got.Endpoint != want.Endpoint || got.Fault != want.Fault || got.Status != want.Status || got.Code != want.Code || got.Permanent != want.Permanent ||
		got.Foreign != want.Foreign {
		t.Errorf("error {%s %s status %d code %d permanent %t foreign %t}, want {%s %s status %d code %d permanent %t foreign %t}",
			got.Endpoint, got.Fault, got.Status, got.Code, got.Permanent, got.Foreign,
			want.Endpoint, want.Fault, want.Status, want.Code, want.Permanent, want.Foreign)
	}
	if text := err.Error(); strings.Contains(text, "%!") || !strings.HasPrefix(text, "vlens "+string(want.Endpoint)+": ") {
		t.Errorf("error reads %q", text)
	}
}
