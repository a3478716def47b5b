package vlens

import (
	"context"
	"fmt"
)

// slot is leave to send one request.
type slot struct {
	bearer  *token // nil where none is needed
	release func() // gives the place in the quota back
}

// slotFor waits for a slot of the quota.
//
// The wait may be longer than a token lives, so which token to send is seen when
// it is over. If that one must be renewed, the slot goes to the renewal and the
// question queues again: a request with a dead token would cost a slot, too, and
// waiting for the renewal's own turn would cost those of everybody meanwhile.
func (c *Client) slotFor(ctx context.Context, q *question, p *patience) (slot, error) {
	if q.endpoint == EndpointLogin || q.endpoint == EndpointRefresh {
		release, err := c.acquire(ctx, q)
		return slot{release: release}, err
	}
	for {
		if err := c.session.open(ctx); err != nil {
			return slot{}, err
		}
		release, err := c.acquire(ctx, q)
		if err != nil {
			return slot{}, err
		}
		bearer, err := c.session.bearer(ctx, release, p.oldTokens >= maxOldTokens)
		if err != nil {
			return slot{}, err
		}
		if bearer != nil {
			return slot{bearer: bearer, release: release}, nil
		}
		p.oldTokens++
	}
}

// acquire takes a slot of the quota, or the one that the question has.
func (c *Client) acquire(ctx context.Context, q *question) (release func(), err error) {
	if q.held != nil {
		release, q.held = q.held, nil
		return release, nil
	}
	if c.config.Quota == nil {
		return func() {}, nil
	}
	release, err = c.config.Quota.Acquire(ctx)
	if err != nil {
		return nil, orCancelled(ctx, fmt.Errorf("wait for the vendor's quota: %w", err))
	}
	return release, nil
}
