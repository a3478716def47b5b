// Package listen serves HTTP to those who operate the program: metrics and health.
// Answers are small and immediate.
package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// ErrAddress says that an address of the configuration cannot be listened on.
var ErrAddress = errors.New("cannot listen")

const (
	// requestTimeout bounds one request, from its first byte to its last.
	requestTimeout = 10 * time.Second
	// CloseTimeout bounds what requests under way may take once the server closes.
	CloseTimeout = time.Second
)

// Server is an HTTP server at one address. Its owner closes it.
type Server struct {
	address net.Addr
	server  *http.Server
	ended   chan struct{}
}

// Open listens on the address, host:port or :port, which the configuration has
// under key, and serves it until Close. An address that cannot be
// listened on is ErrAddress.
func Open(ctx context.Context, key, address string, handler http.Handler) (*Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w on %s %q: %s", ErrAddress, key, address, reason(err))
	}
	s := &Server{
		address: listener.Addr(),
		server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: requestTimeout,
			ReadTimeout:       requestTimeout,
			WriteTimeout:      requestTimeout,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    16 << 10,
		},
		ended: make(chan struct{}),
	}
	go func() {
		defer close(s.ended)
		_ = s.server.Serve(listener) // it ends when the server is closed
	}()
	return s, nil
}

// Address is where the server listens, with the real port when 0 was configured.
func (s *Server) Address() string { return s.address.String() }

// Close ends the server. Requests under way have CloseTimeout to end.
func (s *Server) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), CloseTimeout)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close() // it cuts connections that are still open
	}
	<-s.ended
}

// reason says in a few words why an address cannot be listened on, and what to do.
func reason(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another process listens there already; stop it, or choose another port"
	case errors.Is(err, syscall.EACCES):
		return "ports below 1024 need a privilege; choose a higher one"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine does not have the address; leave the host out to listen on all of them"
	}
	return err.Error()
}
