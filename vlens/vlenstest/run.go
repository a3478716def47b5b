package vlenstest

import (
	"context"
	"net"
)

// TB is the part of testing.TB that Run needs. It is spelt out so that the
// simulator carries no test framework into the program that serves it.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(func())
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Run starts a tenant on a loopback port for the length of a test and returns
// it with its base URL.
func Run(t TB, options Options) (server *Server, baseURL string) {
	t.Helper()
	server, err := New(options)
	if err != nil {
		t.Fatalf("start the simulated tenant: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("start the simulated tenant: %v", err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(t.Context(), listener) }()
	t.Cleanup(func() {
		if err := <-served; err != nil {
			t.Errorf("%v", err)
		}
	})
	return server, "http://" + listener.Addr().String()
}
