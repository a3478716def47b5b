package vlens

import (
	"context"
	"errors"
	"io"
	"time"
)

// errStalled is the cause of an exchange that ended because nothing arrived.
var errStalled = errors.New("stalled")

// stallGuard ends an exchange in which no byte arrives for the timeout. The
// clock runs only while the transport is waited for: from sending to the
// headers, and during each Read of the body.
type stallGuard struct {
	ctx     context.Context // of the exchange
	cancel  context.CancelCauseFunc
	timeout time.Duration
}

// wait calls receive. Its error is errStalled if that is why the exchange ended:
// not every transport passes on the cause of its context.
func (g stallGuard) wait(receive func() error) error {
	timer := time.AfterFunc(g.timeout, func() { g.cancel(errStalled) })
	defer timer.Stop()
	err := receive()
	if err != nil && errors.Is(context.Cause(g.ctx), errStalled) {
		return errStalled
	}
	return err
}

// guardedReader reads a body under a guard.
type guardedReader struct {
	guard stallGuard
	body  io.Reader
}

func (r guardedReader) Read(p []byte) (n int, err error) {
	err = r.guard.wait(func() error {
		n, err = r.body.Read(p)
		return err
	})
	return n, err
}
