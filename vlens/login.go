package vlens

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

const (
	// assumedLifetime is of a token that does not say.
	assumedLifetime = time.Hour
	// longestLifetime keeps a wrong number of seconds from overflowing.
	longestLifetime = 365 * 24 * time.Hour
	// maxRenewAhead bounds how long before its expiry a token is renewed.
	maxRenewAhead = time.Minute
)

// login gets a token for the credentials (docs.vlenseg.com, "Login"). The question
// says how it is asked: in how many requests, and in which slot of the quota.
func (c *Client) login(ctx context.Context, q question) (*token, error) {
	q.endpoint = EndpointLogin
	return c.askToken(ctx, q, map[string]string{
		"tenancyName":            c.config.TenancyName,
		"userNameOrEmailAddress": c.config.Username,
		"password":               c.config.Password,
	}, "")
}

// refresh gets a token for a refresh token, in one try: a login does as well
// (docs.vlenseg.com, "Refresh Token").
func (c *Client) refresh(ctx context.Context, refreshToken string, held func()) (*token, error) {
	t, err := c.askToken(ctx, question{endpoint: EndpointRefresh, tries: 1, held: held}, map[string]string{
		"refreshToken": refreshToken,
	}, refreshToken)
	if err != nil {
		return nil, err
	}
	t.refreshed = true
	return t, nil
}

// askToken keeps the old refresh token when the answer brings no new one.
func (c *Client) askToken(ctx context.Context, q question, body map[string]string, oldRefresh string) (*token, error) {
	var err error
	if q.body, err = json.Marshal(body); err != nil {
		return nil, fmt.Errorf("vlens %s: encode the request: %w", q.endpoint, err)
	}
	var t *token
	q.read = func(r *reply) *Error {
		if t = readToken(r.envelope.data, oldRefresh); t == nil {
			return unreadable(q.endpoint, r)
		}
		return nil
	}
	if err := c.ask(ctx, q); err != nil {
		return nil, err
	}
	return t, nil
}

// readToken is nil without an access token. Of the two refresh tokens in the
// answer to a refresh, the vendor does not say which one counts; the new one is
// the better guess, and a wrong guess costs a login.
func readToken(data []member, oldRefresh string) *token {
	var access, refresh, newRefresh string
	lifetime := assumedLifetime
	for _, m := range data {
		text, _ := textOf(m.value)
		switch {
		case strings.EqualFold(m.name, "accessToken"):
			access = text
		case strings.EqualFold(m.name, "refreshToken"):
			refresh = text
		case strings.EqualFold(m.name, "newRefreshToken"):
			newRefresh = text
		case strings.EqualFold(m.name, "expireInSeconds"):
			// A number, or its digits in a string: what an error_code can be.
			if seconds, _ := errorCode(m.value); seconds > 0 {
				lifetime = min(time.Duration(seconds)*time.Second, longestLifetime)
			}
		}
	}
	if access == "" || strings.ContainsFunc(access, notInHeader) {
		return nil
	}
	if newRefresh != "" {
		refresh = newRefresh
	}
	if refresh == "" {
		refresh = oldRefresh
	}
	renewAfter := lifetime - min(lifetime/10, maxRenewAhead)
	return &token{access: access, refresh: refresh, renewAt: time.Now().Add(renewAfter)}
}

// notInHeader tells characters that would make the request invalid; the error
// of the transport would not show whose fault it is.
func notInHeader(r rune) bool { return r <= ' ' || r >= 0x7f }
