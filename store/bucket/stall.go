package bucket

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// stallGuard ends connections that pass no byte for the given time. A limit on
// whole requests would cut large objects on slow lines.
func stallGuard(dial dialFunc, stall time.Duration) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &guardedConn{Conn: conn, stall: stall}, nil
	}
}

// guardedConn moves both deadlines with each read and write: net/http already
// waits for the response while it sends a body.
type guardedConn struct {
	net.Conn
	stall time.Duration
}

func (c *guardedConn) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *guardedConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// pieces are what bodies are sent in. Without them io.Copy would allocate one for
// every request, nearly half of what a request of the SDK allocates.
var pieces = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// ReadFrom is how net/http sends the body of a request, except over TLS, where
// crypto/tls stands between.
func (c *guardedConn) ReadFrom(body io.Reader) (int64, error) {
	piece, _ := pieces.Get().(*[32 << 10]byte)
	defer pieces.Put(piece)
	return io.CopyBuffer(struct{ io.Writer }{c}, body, piece[:])
}
