package vlens_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"vlens-archiver/vlens"
)

// arrivals are the requests that reached a server.
type arrivals struct {
	mu   sync.Mutex
	seen []string
}

func (a *arrivals) note(request string) (number int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = append(a.seen, request)
	return len(a.seen)
}

// want compares with the slots that were taken for them.
func (a *arrivals) want(t *testing.T, q *quota, want ...string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if got := strings.Join(a.seen, ", "); got != strings.Join(want, ", ") {
		t.Errorf("arrived: %s; want %s", got, strings.Join(want, ", "))
	}
	if slots := int(q.acquired.Load()); slots != len(a.seen) {
		t.Errorf("%d requests arrived in %d slots of the quota", len(a.seen), slots)
	}
}

// listen serves each connection until the test ends.
func listen(t *testing.T, listener net.Listener, serve func(net.Conn)) {
	t.Helper()
	var all sync.WaitGroup
	all.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer connection.Close()
				serve(connection)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait()
	})
}

// A vendor that hangs up on a kept connection gets the request again in another
// slot of the quota, and not by net/http itself. A GET has no body.
func TestBrokenKeptConnectionCostsASlot(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var a arrivals
	listen(t, listener, func(connection net.Conn) {
		from := bufio.NewReader(connection)
		for {
			r, err := http.ReadRequest(from)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			number := a.note(r.Method)
			if r.Method == http.MethodGet && (r.ContentLength != 0 || r.Header.Get("Content-Length") != "" || len(r.TransferEncoding) != 0) {
				t.Errorf("a GET of length %d, header %v", r.ContentLength, r.Header)
			}
			body := listing(`"idFrontImage":"f.jpg"`)
			switch number {
			case 1:
				body = tokens("access", "", 3600)
			case 2:
				return // the second on a kept connection
			}
			answer := http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}
			if answer.Write(connection) != nil {
				return
			}
		}
	})
	transport := vlens.NewTransport()
	defer transport.CloseIdleConnections()
	q := &quota{}
	if _, err := clientAt(t, "http://"+listener.Addr().String(), transport, q).List(t.Context(), phone); err != nil {
		t.Fatal(err)
	}
	a.want(t, q, "POST", "GET", "GET")
}

// The same over HTTP/2, where a server may refuse a stream. A GET's headers end its
// stream: no body follows, not even an empty one.
func TestRefusedStreamCostsASlot(t *testing.T) {
	t.Parallel()
	certificate, roots := testCertificate(t)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	var a arrivals
	listen(t, listener, func(connection net.Conn) { serveHTTP2(t, connection, &a) })
	transport := vlens.NewTransport()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	defer transport.CloseIdleConnections()
	q := &quota{}
	if _, err := clientAt(t, "https://"+listener.Addr().String(), transport, q).List(t.Context(), phone); err != nil {
		t.Fatal(err)
	}
	a.want(t, q, "POST", "GET END_STREAM", "GET END_STREAM")
}

// serveHTTP2 answers the first stream with a token, refuses the second and answers
// the others with a listing.
func serveHTTP2(t *testing.T, connection net.Conn, a *arrivals) {
	if _, err := io.ReadFull(connection, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(connection, connection)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if framer.WriteSettings() != nil {
		return
	}
	number := 0
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		ended := false
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() && framer.WriteSettingsAck() != nil {
				return
			}
		case *http2.MetaHeadersFrame:
			ended = f.StreamEnded()
			request := f.PseudoValue("method")
			if ended {
				request += " END_STREAM"
			}
			number = a.note(request)
		case *http2.DataFrame:
			ended = f.StreamEnded()
		}
		if !ended {
			continue
		}
		stream := frame.Header().StreamID
		switch number {
		case 1:
			err = answerStream(framer, stream, tokens("access", "", 3600))
		case 2:
			err = framer.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
		default:
			err = answerStream(framer, stream, listing(`"idFrontImage":"f.jpg"`))
		}
		if err != nil {
			t.Errorf("answer: %v", err)
			return
		}
	}
}

func answerStream(framer *http2.Framer, stream uint32, body string) error {
	var block strings.Builder
	if err := hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "200"}); err != nil {
		return err
	}
	if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte(block.String()), EndHeaders: true}); err != nil {
		return err
	}
	return framer.WriteData(stream, true, []byte(body))
}

// testCertificate is one for 127.0.0.1, and who vouches for it.
func testCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	lender := httptest.NewTLSServer(http.NotFoundHandler())
	defer lender.Close()
	roots := x509.NewCertPool()
	roots.AddCert(lender.Certificate())
	return lender.TLS.Certificates[0], roots
}

func clientAt(t *testing.T, url string, transport http.RoundTripper, q vlens.Quota) *vlens.Client {
	t.Helper()
	c, err := vlens.New(vlens.Config{
		BaseURL: url, APIKey: "key-1", TenancyName: "acme", Username: "archiver", Password: "open sesame",
		Timeout: time.Minute, MaxImageBytes: 1 << 20, Attempts: 4, Transport: transport, Quota: q,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
