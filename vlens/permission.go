package vlens

import (
	"context"
	"errors"
)

// nobody is an email that no person can have: names under .invalid are never
// given out (RFC 2606).
const nobody = "nobody@doctor.invalid"

// AskForNobody asks in one request for the images of a user who cannot exist, to
// see whether the account may ask at all. It logs in first if that was not done.
// Nothing is repeated or renewed: the error is what the vendor said to this one
// request. The account may list when the answer is a listing or says that there
// is no such user.
func (c *Client) AskForNobody(ctx context.Context) (Listing, error) {
	var listing Listing
	q := listQuestion(nobody, &listing)
	s, err := c.slotFor(ctx, &q, &patience{})
	if err != nil {
		return listing, err
	}
	err = c.try(ctx, q, s)
	fault, ok := errors.AsType[*Error](err)
	if ok && fault.Fault == FaultThrottled && c.config.Quota != nil {
		err = errors.Join(err, c.config.Quota.CoolDown(ctx, fault.retryAfter))
	}
	return listing, err
}
