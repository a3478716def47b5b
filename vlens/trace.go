package vlens

import (
	"context"
	"time"
)

// Trace watches the requests of the calls made with its context.
type Trace struct {
	// Request is called once for every HTTP request that was sent, logins and
	// retries included, when it is over; from several goroutines at once if calls
	// are made from several.
	Request func(RequestInfo)
}

// RequestInfo describes one HTTP request.
type RequestInfo struct {
	Endpoint Endpoint
	// Status is the HTTP status; 0 without a response.
	Status int
	// Duration is from sending to the end of the body. Waiting for the quota is
	// not part of it, waiting for memory before an image's body is.
	Duration time.Duration
	// ServerTime is the Date of the answer, to the second; zero without one.
	ServerTime time.Time
	// Fault is empty for a success, and for a request that the caller gave up.
	Fault Fault
}

type traceKey struct{}

type traces struct {
	*Trace
	outer *traces
}

// WithTrace returns a context whose requests are shown to t. Traces that the
// context already has are called too.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	outer, _ := ctx.Value(traceKey{}).(*traces)
	return context.WithValue(ctx, traceKey{}, &traces{Trace: t, outer: outer})
}

func showRequest(ctx context.Context, info RequestInfo) {
	t, _ := ctx.Value(traceKey{}).(*traces)
	for ; t != nil; t = t.outer {
		if t.Request != nil {
			t.Request(info)
		}
	}
}
