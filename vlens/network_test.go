package vlens_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"vlens-archiver/vlens"
)

// A connection that fails says what is wrong, and what to do; of what the other
// side sent it says nothing.
func TestFailedConnectionsNameTheirCause(t *testing.T) {
	t.Parallel()
	certificate, roots := testCertificate(t)
	const planted = "planted-secret"
	quiet := log.New(io.Discard, "", 0)
	secure := func(t *testing.T, config *tls.Config) string {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		config.Certificates = []tls.Certificate{certificate}
		server.TLS, server.Config.ErrorLog = config, quiet
		server.StartTLS()
		t.Cleanup(server.Close)
		return server.URL
	}
	speaking := func(t *testing.T, words string) string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listen(t, listener, func(connection net.Conn) {
			_, _ = io.ReadAtLeast(connection, make([]byte, 4<<10), 1)
			_, _ = io.WriteString(connection, words)
		})
		return listener.Addr().String()
	}
	for name, test := range map[string]struct {
		prepare func(t *testing.T, transport *http.Transport) (base string)
		says    string
	}{
		"a proxy that wants credentials": {func(t *testing.T, transport *http.Transport) string {
			transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: speaking(t, "HTTP/1.1 407 "+planted+"\r\nContent-Length: 0\r\n\r\n")})
			return "https://vendor.invalid"
		}, "give them in HTTPS_PROXY"},
		"a proxy that refuses": {func(t *testing.T, transport *http.Transport) string {
			transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: speaking(t, "HTTP/1.1 403 "+planted+"\r\nContent-Length: 0\r\n\r\n")})
			return "https://vendor.invalid"
		}, "the proxy refused to connect to the host, with status 403"},
		"no TLS": {func(t *testing.T, _ *http.Transport) string {
			return "https://" + speaking(t, "HTTP/1.1 200 "+planted+"\r\n\r\n")
		}, "does not speak TLS; check the port"},
		"no TLS at all": {func(t *testing.T, _ *http.Transport) string {
			return "https://" + speaking(t, planted+"\r\n\r\n")
		}, "does not speak TLS; check the port"},
		"old TLS": {func(t *testing.T, _ *http.Transport) string {
			return secure(t, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}) //nolint:gosec // that is the fault
		}, "TLS handshake"},
		"another host's certificate": {func(t *testing.T, _ *http.Transport) string {
			return strings.Replace(secure(t, &tls.Config{MinVersion: tls.VersionTLS12}), "127.0.0.1", "localhost", 1)
		}, "it is for another host"},
		"an unknown authority": {func(t *testing.T, transport *http.Transport) string {
			transport.TLSClientConfig = nil
			return secure(t, &tls.Config{MinVersion: tls.VersionTLS12})
		}, "not trusted; if a proxy in between opens TLS"},
		"no HTTP": {func(t *testing.T, _ *http.Transport) string {
			return "http://" + speaking(t, planted+" 1\r\n\r\n")
		}, "is not HTTP as this program knows it"},
		"no headers": {func(t *testing.T, _ *http.Transport) string {
			return "http://" + speaking(t, "HTTP/1.1 200 OK\r\n"+planted+"\r\n\r\n")
		}, "is not HTTP as this program knows it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transport := vlens.NewTransport()
			transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
			defer transport.CloseIdleConnections()
			base := test.prepare(t, transport)
			err := clientAt(t, base, transport, nil).CheckIn(t.Context())
			wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointLogin, Fault: vlens.FaultNetwork})
			if !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), planted) {
				t.Errorf("error %v, want one that says %q", err, test.says)
			}
		})
	}
}
