package vlens

import "context"

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
	q.once = true
	err := c.ask(ctx, q)
	return listing, err
}
