package vlens

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
)

// net/http sends a GET again by itself when a kept connection breaks, up to seven
// times over HTTP/2. The vendor would count requests for which the quota was not
// asked, so each exchange sends its request once. A body that cannot be read again
// would prevent it, too, but over HTTP/2 it makes a GET one with a body of unknown
// length, which firewalls refuse.

type sentKey struct{}

// sendingOnce is a context for one exchange, which cancel ends. A second sending
// over HTTP/2 ends it: the transport looks at it before it writes.
func sendingOnce(ctx context.Context, cancel context.CancelCauseFunc) context.Context {
	sent := &atomic.Bool{}
	return httptrace.WithClientTrace(context.WithValue(ctx, sentKey{}, sent), &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
		GotConn: func(httptrace.GotConnInfo) {
			if sent.Load() {
				cancel(errCut)
			}
		},
	})
}

// proxyOnce is http.ProxyFromEnvironment for requests that are not sent yet. The
// transport asks it before each sending over HTTP/1.1, and where nothing is sent
// it may go on to another connection.
func proxyOnce(r *http.Request) (*url.URL, error) {
	if sent, ok := r.Context().Value(sentKey{}).(*atomic.Bool); ok && sent.Load() {
		return nil, errCut
	}
	return http.ProxyFromEnvironment(r)
}
