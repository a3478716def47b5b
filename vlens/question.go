package vlens

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// question is one thing to be asked of the vendor, in as many requests as it
// takes.
type question struct {
	endpoint Endpoint
	query    url.Values // sent by GET
	body     []byte     // JSON, sent by POST when there is one
	// read takes the answer out of a success; the reply is released after it.
	read func(*reply) *Error
	// tries replaces Config.Attempts when it is not 0.
	tries int
	// once: one request is sent, whatever comes of it.
	once bool
	// unsure: the question may be one that the vendor does not take, so a
	// deliberate answer is taken as its answer the first time.
	unsure bool
	// memoryWait bounds the wait for memory when it is not 0.
	memoryWait time.Duration
	// held is a slot of the quota that the first request goes into, when it is
	// not nil.
	held func()
}

const (
	// deliberateTries is for an answer that the vendor chose: once more, in case
	// its code stands for something that passes, and not as often as a breakdown.
	deliberateTries = 2

	firstBackoff  = 250 * time.Millisecond
	lastBackoff   = 8 * time.Second
	firstCoolDown = 5 * time.Second
)

// ask puts a question until it is answered or not worth asking again.
func (c *Client) ask(ctx context.Context, q question) error {
	var p patience
	for {
		s, err := c.slotFor(ctx, &q, &p)
		if err != nil {
			return err
		}
		err = c.try(ctx, q, s)
		fault, ok := errors.AsType[*Error](err)
		if !ok {
			return err
		}
		again, err := c.prepareNext(ctx, q, s.bearer, fault, &p)
		if err != nil {
			return err
		}
		if !again {
			return fault
		}
	}
}

// prepareNext does what a fault calls for before the question is put again, and
// reports whether it is to be.
func (c *Client) prepareNext(ctx context.Context, q question, bearer *token, fault *Error, p *patience) (bool, error) {
	if fault.Fault == FaultThrottled {
		p.throttles++
		again := p.throttles < throttlesInRow && !q.once
		return again, c.coolDown(ctx, fault.retryAfter, p.throttles, again)
	}
	p.throttles = 0
	if q.once {
		return false, nil
	}

	switch {
	case fault.Fault == FaultUnauthorized && bearer != nil && p.blames(bearer, q.endpoint):
		bearer.refused.Store(true) // whoever has the next slot renews it
		return true, nil
	case mayBlameToken(fault) && bearer != nil && !p.loggedIn && bearer.doubtful(q.endpoint):
		p.loggedIn = true
		p.failures++
		return true, c.session.loginAgain(ctx, bearer)
	}
	p.failures++
	if p.failures >= c.triesFor(q, fault) {
		return false, nil
	}
	wait := min(firstBackoff<<min(p.failures-1, 16), lastBackoff)
	return true, pause(ctx, wait/2+rand.N(wait/2))
}

// mayBlameToken reports whether a login may mend a fault: the vendor's check of the
// token may answer 403 without the envelope.
func mayBlameToken(fault *Error) bool {
	return fault.Fault == FaultForbidden || fault.Foreign && fault.Status == http.StatusForbidden
}

func (c *Client) triesFor(q question, fault *Error) int {
	tries := c.config.Attempts
	if q.tries != 0 {
		tries = q.tries
	}
	switch {
	case fault.Permanent, fault.deliberate && q.unsure:
		return 1
	case fault.deliberate:
		return min(tries, deliberateTries)
	}
	return tries
}

// coolDown follows a throttle reply, the last in a row too. A quota makes
// everyone wait at the next Acquire; without one this question waits by itself.
// It never waits less than the vendor asked for.
func (c *Client) coolDown(ctx context.Context, retryAfter time.Duration, throttles int, again bool) error {
	if c.config.Quota != nil {
		if err := c.config.Quota.CoolDown(ctx, retryAfter); err != nil {
			return orCancelled(ctx, fmt.Errorf("cool down the vendor's quota: %w", err))
		}
		return nil
	}
	if !again {
		return nil
	}
	wait := retryAfter
	if wait == 0 {
		wait = firstCoolDown << (throttles - 1)
	}
	return pause(ctx, wait+rand.N(wait/4+1))
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// orCancelled is the caller's own cancellation if there is one, for that is why
// everything else failed.
func orCancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
