package vlens

import (
	"net"
	"net/http"
	"time"
)

// idleConnections is above any useful number of requests in flight; with the
// standard library's two, most requests would shake hands anew.
const idleConnections = 256

func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  proxyOnce,
		OnProxyConnectResponse: proxyConnected,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConnsPerHost:    idleConnections,
		IdleConnTimeout:        90 * time.Second,
		ReadBufferSize:         64 << 10,
		ForceAttemptHTTP2:      true,
		// Without pings a dead HTTP/2 connection is used again for every request.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
		// Base64 of compressed images shrinks by its quarter at the price of more
		// CPU than everything else together, and hides the length.
		DisableCompression: true,
	}
}
