package bucket

import (
	"context"
	"net"
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
