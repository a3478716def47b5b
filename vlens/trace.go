package vlens

import (
	"context"
	"time"
)

// RequestInfo describes one HTTP request.
type RequestInfo struct {
	Endpoint Endpoint
	// Status is the HTTP status; 0 without a response.
	Status int
	// Duration is from sending to the end of the body. Waiting for the quota is
	// not part of it, waiting for memory before an image's body is.
	Duration time.Duration
	// RequestID is the X-Request-Id that was sent with it.
	RequestID string
	// ServerTime is the Date of the answer, to the second; zero without one.
	ServerTime time.Time
	// Fault is empty for a success, and for a request that the caller gave up.
	Fault Fault
}

type traceKey struct{}

// WithTrace returns a context whose calls show their requests to watch, and to
// those who watch ctx already. It is called once for every HTTP request that was
// sent, logins and retries included, when it is over; from several goroutines at
// once if calls are made from several.
func WithTrace(ctx context.Context, watch func(RequestInfo)) context.Context {
	outer := watcher(ctx)
	return context.WithValue(ctx, traceKey{}, func(info RequestInfo) {
		outer(info)
		watch(info)
	})
}

// watcher is who watches the requests made with ctx.
func watcher(ctx context.Context) func(RequestInfo) {
	if watch, ok := ctx.Value(traceKey{}).(func(RequestInfo)); ok {
		return watch
	}
	return func(RequestInfo) {}
}
