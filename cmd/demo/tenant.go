package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/vlens/vlenstest"
)

// tenant is the simulated Vlens, served on loopback.
type tenant struct {
	*vlenstest.Server
	url    string
	cancel context.CancelFunc
	served chan error
}

// startTenant serves that many people, those of them awkward who are so in the
// demo's scenario, without a quota: a demo should not take hours.
func startTenant(ctx context.Context, people int) (*tenant, error) {
	last := ""
	for person := range vlenstest.People(0, people) {
		last = person.ID
	}
	scenario := vlenstest.DemoScenario()
	maps.DeleteFunc(scenario.Users, func(id string, _ vlenstest.Rules) bool { return id > last })
	scenario.Quota.Preset = "none"
	server, err := vlenstest.New(vlenstest.Options{People: people, Scenario: scenario})
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the simulated tenant: %w", err)
	}
	// It outlives ctx, so that what is under way when a signal comes can end.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t := &tenant{Server: server, url: "http://" + listener.Addr().String(), cancel: cancel, served: make(chan error, 1)}
	go func() { t.served <- server.Serve(ctx, listener) }()
	return t, nil
}

// stop ends the server and waits for it.
func (t *tenant) stop() error {
	t.cancel()
	return <-t.served
}

// expectations are what must become of each user. Pictures are drawn for it, on
// all processors.
func (t *tenant) expectations(ctx context.Context) (map[string]vlenstest.Expected, error) {
	var mu sync.Mutex
	expected := map[string]vlenstest.Expected{}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for user := range t.Users() {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			want, _ := t.Expected(user.ID)
			mu.Lock()
			defer mu.Unlock()
			expected[user.ID] = want
			return nil
		})
	}
	_ = group.Wait() // none of them fails
	return expected, ctx.Err()
}
