package vlenstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a simulated Vlens tenant. It is an http.Handler and safe for
// concurrent use.
type Server struct {
	options  Options
	people   population
	scenario atomic.Pointer[Scenario] // replaced, never changed
	change   sync.Mutex               // held while a scenario is replaced
	tenants  [2]*tenant               // ours and the other one
	tokens   *tokenMint
	album    *album
	journal  *journal
	happened once
	control  http.Handler

	stopped  chan struct{} // closed when the server stops: ends stalled answers
	stopOnce sync.Once
}

type tenant struct {
	name, apiKey, username, password string
	quota                            *limiter
}

// New makes a tenant. It fails when an option or the scenario has no meaning.
func New(options Options) (*Server, error) {
	if err := options.setDefaults(); err != nil {
		return nil, fmt.Errorf("simulated tenant: %w", err)
	}
	people := population{seed: options.Seed, size: options.People}
	album, err := newAlbum(people, options.ImageBytes)
	if err != nil {
		return nil, fmt.Errorf("simulated tenant: %w", err)
	}
	s := &Server{
		options: options,
		people:  people,
		tenants: [2]*tenant{
			{name: options.Tenancy, apiKey: options.APIKey, username: options.Username, password: options.Password, quota: newLimiter()},
			{name: OtherTenancy, apiKey: OtherAPIKey, username: OtherUsername, password: OtherPassword, quota: newLimiter()},
		},
		tokens:  newTokenMint(people),
		album:   album,
		journal: newJournal(),
		stopped: make(chan struct{}),
	}
	s.control = s.controlRoutes()
	if err := s.SetScenario(options.Scenario); err != nil {
		return nil, fmt.Errorf("simulated tenant: %w", err)
	}
	return s, nil
}

// Scenario is a copy of the scenario in force.
func (s *Server) Scenario() Scenario { return s.scenario.Load().clone() }

// SetScenario replaces the scenario for all requests that arrive from now on.
func (s *Server) SetScenario(scenario Scenario) error {
	s.change.Lock()
	defer s.change.Unlock()
	return s.replace(scenario)
}

// Change replaces the scenario by what edit makes of it.
func (s *Server) Change(edit func(*Scenario)) error {
	s.change.Lock()
	defer s.change.Unlock()
	scenario := s.Scenario()
	edit(&scenario)
	return s.replace(scenario)
}

func (s *Server) replace(scenario Scenario) error {
	var list []error
	for _, p := range scenario.problems() {
		list = append(list, fmt.Errorf("scenario: %w", p))
	}
	if err := errors.Join(append(list, scenario.checkUsers(s.people))...); err != nil {
		return err
	}
	replacement := scenario.clone()
	s.scenario.Store(&replacement)
	return nil
}

// stopGrace is how long answers on their way may take once the server stops.
const stopGrace = 5 * time.Second

// Serve answers on the listener until the context ends, then lets answers on
// their way finish, five seconds at most. It closes the listener. The server
// cannot be started again.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	httpServer := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- httpServer.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve the simulated tenant: %w", err)
	case <-ctx.Done():
	}
	s.stop()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	err := httpServer.Shutdown(grace)
	if err != nil {
		err = errors.Join(err, httpServer.Close())
	}
	if ended := <-served; err == nil && !errors.Is(ended, http.ErrServerClosed) {
		err = ended
	}
	if err != nil {
		return fmt.Errorf("stop the simulated tenant: %w", err)
	}
	return nil
}

func (s *Server) stop() { s.stopOnce.Do(func() { close(s.stopped) }) }
