package telemetry

import (
	"net"
	"testing"

	"vlens-archiver/store"
)

func TestCloseFreesThePort(t *testing.T) {
	t.Parallel()
	measuring := start(t, Config{MetricsListen: "127.0.0.1:0"})
	address := measuring.server.Address()
	page(t, address)
	measuring.Close(t.Context())
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("the port is not free: %v", err)
	}
	listener.Close()
	measuring.Close(t.Context()) // once more changes nothing
}

// Nothing is asked for, so nothing is measured, and all of it may be called.
func TestNothingAskedForIsNothing(t *testing.T) {
	t.Parallel()
	measuring, err := Start(t.Context(), Config{})
	if measuring != nil || err != nil {
		t.Fatalf("%v, %v", measuring, err)
	}
	ctx, end := measuring.Begin(t.Context(), store.Run{ID: "r"})
	if ctx != t.Context() {
		t.Error("the context is another one")
	}
	end("", 0)
	measuring.Follow(t.Context(), Sources{})(t.Context())
	measuring.Close(t.Context())
}
