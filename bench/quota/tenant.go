package main

import (
	"context"
	"fmt"
	"net"

	"vlens-archiver/bench/site"
	"vlens-archiver/vlens/vlenstest"
)

// tenant is a simulated tenant in this process, where its log and its windows
// can be read. Its owner stops it.
type tenant struct {
	*vlenstest.Server
	baseURL string
	leave   context.CancelFunc
	served  chan error
}

func startTenant(ctx context.Context) (*tenant, error) {
	server, err := vlenstest.New(vlenstest.Options{People: people, Seed: site.Seed, ImageBytes: imageBytes, Scenario: vlenstest.Scenario{
		Quota:   vlenstest.QuotaRules{Preset: "none", PerSecond: perSecond, PerMinute: perMinute, CountDenied: true},
		Latency: latency,
	}})
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the simulated tenant: %w", err)
	}
	serving, leave := context.WithCancel(context.WithoutCancel(ctx))
	t := &tenant{Server: server, baseURL: "http://" + listener.Addr().String(), leave: leave, served: make(chan error, 1)}
	go func() { t.served <- server.Serve(serving, listener) }()
	return t, nil
}

func (t *tenant) stop() error {
	t.leave()
	return <-t.served
}
