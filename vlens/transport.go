package vlens

import (
	"net"
	"net/http"
	"time"
)

const defaultConnections = 16

// newTransport keeps as many connections as there are requests in flight; with
// the standard library's two, most requests would shake hands anew.
func newTransport(connections int) *http.Transport {
	if connections <= 0 {
		connections = defaultConnections
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns:        connections,
		MaxIdleConnsPerHost: connections,
		IdleConnTimeout:     90 * time.Second,
		ReadBufferSize:      64 << 10,
		ForceAttemptHTTP2:   true,
		// Without pings a dead HTTP/2 connection is used again for every request.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		// Base64 of compressed images shrinks by its quarter at the price of more
		// CPU than everything else together, and hides the length.
		DisableCompression: true,
	}
}
