package vlens

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// errStalled is the cause of an exchange that ended because nothing arrived.
var errStalled = errors.New("stalled")

// stallGuard ends an exchange in which no byte arrives for the timeout. The
// clock runs only while the transport is waited for: from sending to the
// headers, and during each Read of the body.
type stallGuard struct {
	next    http.RoundTripper
	timeout time.Duration
}

func (g stallGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(g.timeout, func() { cancel(errStalled) })
	resp, err := g.next.RoundTrip(req.WithContext(ctx))
	timer.Stop()
	if err != nil {
		err = stalledOr(ctx, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &guardedBody{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, timer: timer, timeout: g.timeout}
	return resp, nil
}

// guardedBody is read by one goroutine.
type guardedBody struct {
	io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	timeout time.Duration
}

func (b *guardedBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.timeout)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = stalledOr(b.ctx, err)
	}
	return n, err
}

func (b *guardedBody) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

// stalledOr is errStalled if that is what ended ctx, else err.
func stalledOr(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}
