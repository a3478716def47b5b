package vlens

import (
	"context"
	"errors"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// session keeps one token for all goroutines.
//
// Whoever finds the token missing, refused or old takes its turn to replace it.
// Waiting ends with the waiter's context, and a holder whose context ends leaves
// the work to the next in line: nobody depends on another's cancellation. Those who waited while a replacement failed share its
// error instead of failing once each.
type session struct {
	client  *Client
	current atomic.Pointer[token] // nil: none, or none that is worth sending
	turn    *semaphore.Weighted   // of one: held while someone replaces the token
	failed  atomic.Int64          // how many replacements have failed

	// These belong to the holder of the turn.
	failure error // of the last replacement that failed
	refused error // set once the vendor has refused the credentials
}

func newSession(c *Client) *session { return &session{client: c, turn: semaphore.NewWeighted(1)} }

// open logs in unless there is a token, of whatever age. A first login has a slot
// of its own in the quota.
func (s *session) open(ctx context.Context) error {
	if s.current.Load() != nil {
		return nil
	}
	return s.renew(ctx, nil)
}

// bearer returns the token to send in a slot of the quota; anyAge takes one that
// is to be renewed, too. nil means that the slot is spent: on renewing the token,
// or on nothing when that is under way elsewhere.
func (s *session) bearer(ctx context.Context, release func(), anyAge bool) (*token, error) {
	for {
		t := s.current.Load()
		switch {
		case t == nil: // refused meanwhile
			release()
			return nil, nil
		case t.fresh(), anyAge && !t.refused.Load():
			return t, nil
		case s.turn.TryAcquire(1):
			if s.current.Load() != t {
				s.turn.Release(1)
				continue
			}
			defer s.turn.Release(1)
			renewed, err := s.refreshOrLogin(ctx, t, release)
			return nil, s.note(ctx, renewed, err)
		}
		// Who waits for others must hold nothing that they may be waiting for.
		release()
		return nil, s.renew(ctx, t)
	}
}

// renew replaces a token, in a slot of its own.
func (s *session) renew(ctx context.Context, stale *token) error {
	return s.replace(ctx, stale, func() (*token, error) { return s.refreshOrLogin(ctx, stale, nil) })
}

// loginAgain replaces a token that the vendor forbids something to. A refresh
// would not do: it may carry the old permissions on.
func (s *session) loginAgain(ctx context.Context, stale *token) error {
	return s.replace(ctx, stale, func() (*token, error) {
		t, err := s.client.login(ctx, question{})
		if err == nil {
			t.forced = true
		}
		return t, err
	})
}

// loginAnew logs in whatever is known from before; once puts it in one request.
func (s *session) loginAnew(ctx context.Context, once bool) error {
	if err := s.turn.Acquire(ctx, 1); err != nil {
		return err
	}
	defer s.turn.Release(1)
	t, err := s.client.login(ctx, question{once: once})
	return s.note(ctx, t, err)
}

// replace sees to it that there is a token other than stale: what another
// goroutine has fetched meanwhile, or else what obtain does.
func (s *session) replace(ctx context.Context, stale *token, obtain func() (*token, error)) error {
	failed := s.failed.Load()
	if err := s.turn.Acquire(ctx, 1); err != nil {
		return err
	}
	defer s.turn.Release(1)
	if t := s.current.Load(); t != nil && t != stale {
		return nil
	}
	if s.refused != nil {
		return s.refused
	}
	if s.failed.Load() != failed {
		return s.failure
	}
	t, err := obtain()
	return s.note(ctx, t, err)
}

// note takes over what a login or refresh came to.
func (s *session) note(ctx context.Context, t *token, err error) error {
	if err == nil {
		s.current.Store(t)
		s.refused = nil
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.failed.Add(1)
	s.failure = err
	if fault, ok := errors.AsType[*Error](err); ok && fault.Fault == FaultUnauthorized {
		s.refused = err
		s.current.Store(nil)
	}
	return err
}

// refreshOrLogin logs in when refreshing fails for any reason, be it that the
// token of the last refresh is refused: a refresh token lives a week, and a run
// may be longer. held is the slot of the quota for the first request, if there is
// one.
func (s *session) refreshOrLogin(ctx context.Context, stale *token, held func()) (*token, error) {
	if stale == nil || stale.refresh == "" || stale.refused.Load() && stale.unproven() {
		return s.client.login(ctx, question{held: held})
	}
	t, err := s.client.refresh(ctx, stale.refresh, held)
	if err == nil || ctx.Err() != nil {
		return t, err
	}
	return s.client.login(ctx, question{})
}
