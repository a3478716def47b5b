package vlens

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// token is what a login or refresh gave. It is never changed, but for the notes
// of what it has been good for.
type token struct {
	access  string
	refresh string
	renewAt time.Time // before it expires
	// forced: the vendor had answered 403 to the token before, so this one is
	// from a login made for that reason.
	forced bool

	listed, fetched atomic.Bool
}

// worked notes that the vendor accepted the token at an endpoint.
func (t *token) worked(endpoint Endpoint) {
	// Nearly every call finds it noted; reading first keeps the cores from
	// passing the line around.
	if note := t.note(endpoint); !note.Load() {
		note.Store(true)
	}
}

// doubtful reports whether a 403 may be about the token, which a login mends,
// and not about the permission, which it does not: one page of the vendor says
// that 403 means a bad token. After a login made for a 403, only a token that
// worked at the endpoint before is doubted again, so that an endpoint that
// refuses everything costs one login.
func (t *token) doubtful(endpoint Endpoint) bool {
	return !t.forced || t.note(endpoint).Load()
}

func (t *token) note(endpoint Endpoint) *atomic.Bool {
	if endpoint == EndpointList {
		return &t.listed
	}
	return &t.fetched
}

// session keeps one token for all goroutines.
//
// Whoever finds the token missing or refused waits for its turn to replace it.
// The turn is a channel, so waiting ends with the waiter's context, and a holder
// whose context ends leaves the work to the next in line: nobody depends on
// another's cancellation. Those who waited while a replacement failed share its
// error instead of failing once each.
type session struct {
	client  *Client
	current atomic.Pointer[token] // nil: none, or none that is worth sending
	turn    chan struct{}         // full while someone replaces the token
	failed  atomic.Int64          // how many replacements have failed

	// These belong to the holder of the turn.
	failure error // of the last replacement that failed
	refused error // set once the vendor has refused the credentials
}

func newSession(c *Client) *session { return &session{client: c, turn: make(chan struct{}, 1)} }

// token returns the token to send, renewed ahead of its expiry.
func (s *session) token(ctx context.Context) (*token, error) {
	t := s.current.Load()
	if t != nil && time.Now().Before(t.renewAt) {
		return t, nil
	}
	return s.replace(ctx, t, s.refreshOrLogin)
}

// renew replaces a token that the vendor does not accept any more.
func (s *session) renew(ctx context.Context, stale *token) error {
	_, err := s.replace(ctx, stale, s.refreshOrLogin)
	return err
}

// loginAgain replaces a token that the vendor forbids something to. A refresh
// would not do: it may carry the old permissions on.
func (s *session) loginAgain(ctx context.Context, stale *token) error {
	_, err := s.replace(ctx, stale, func(ctx context.Context, _ *token) (*token, error) {
		t, err := s.client.login(ctx)
		if err == nil {
			t.forced = true
		}
		return t, err
	})
	return err
}

// start logs in whatever is known from before.
func (s *session) start(ctx context.Context) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.leave()
	_, err := s.note(ctx, s.client.login)
	return err
}

// replace returns a token other than stale: what another goroutine has fetched
// meanwhile, or else what obtain does.
func (s *session) replace(ctx context.Context, stale *token, obtain func(context.Context, *token) (*token, error)) (*token, error) {
	failed := s.failed.Load()
	if err := s.take(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	if t := s.current.Load(); t != nil && t != stale {
		return t, nil
	}
	if s.refused != nil {
		return nil, s.refused
	}
	if s.failed.Load() != failed {
		return nil, s.failure
	}
	return s.note(ctx, func(ctx context.Context) (*token, error) { return obtain(ctx, stale) })
}

func (s *session) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *session) leave() { <-s.turn }

// note obtains a token and notes what came of it.
func (s *session) note(ctx context.Context, obtain func(context.Context) (*token, error)) (*token, error) {
	t, err := obtain(ctx)
	if err == nil {
		s.current.Store(t)
		s.refused = nil
		return t, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.failed.Add(1)
	s.failure = err
	if fault, ok := errors.AsType[*Error](err); ok && fault.Fault == FaultUnauthorized {
		s.refused = err
		s.current.Store(nil)
	}
	return nil, err
}

// refreshOrLogin logs in when refreshing fails for any reason: a refresh token
// lives a week, and a run may be longer.
func (s *session) refreshOrLogin(ctx context.Context, stale *token) (*token, error) {
	if stale != nil && stale.refresh != "" {
		t, err := s.client.refresh(ctx, stale.refresh)
		if err == nil || ctx.Err() != nil {
			return t, err
		}
	}
	return s.client.login(ctx)
}
