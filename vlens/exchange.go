package vlens

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	// maxAnswerBytes bounds every body but that of an image.
	maxAnswerBytes = 1 << 20
	// envelopeBytes is allowed around the base64 of an image.
	envelopeBytes = 64 << 10
)

// try sends one request in a slot of the quota and reads its answer.
func (c *Client) try(ctx context.Context, q question, s slot) error {
	r := &reply{envelope: envelope{form: formOther}}
	took, err := c.exchange(ctx, q, s, r)
	defer r.release()
	if took == 0 {
		return err // nothing was sent
	}
	if err == nil {
		err = c.evaluate(q, r)
	}
	if err == nil && s.bearer != nil {
		s.bearer.worked(q.endpoint)
	}
	info := RequestInfo{Endpoint: q.endpoint, Status: r.status, Duration: took, ServerTime: r.serverTime}
	if fault, ok := errors.AsType[*Error](err); ok {
		info.Fault = fault.Fault
	}
	showRequest(ctx, info)
	return err
}

func (c *Client) evaluate(q question, r *reply) error {
	if fault := c.config.Codes.judge(q.endpoint, r); fault != nil {
		return fault
	}
	if fault := q.read(r); fault != nil {
		return fault
	}
	return nil
}

// exchange gives the slot back when the answer to the request is over. The time
// is 0 if nothing was sent.
func (c *Client) exchange(ctx context.Context, q question, s slot, r *reply) (time.Duration, error) {
	defer s.release()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}

	started := time.Now()
	err := c.roundTrip(ctx, q, s.bearer, r)
	return max(time.Since(started), 1), err
}

func (c *Client) roundTrip(ctx context.Context, q question, bearer *token, r *reply) error {
	resp, err := c.transport.RoundTrip(c.request(ctx, q, bearer))
	if err != nil {
		return orCancelled(ctx, connectionError(q.endpoint, err))
	}
	defer resp.Body.Close()
	r.status, r.retryAfter = resp.StatusCode, retryAfter(resp.Header)
	r.serverTime, _ = http.ParseTime(resp.Header.Get("Date"))

	err = c.readBody(ctx, q, resp, r)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	// The status of a failure is answer enough, whatever became of its body.
	if err != nil && r.status/100 == 2 {
		return err
	}
	return nil
}

func (c *Client) request(ctx context.Context, q question, bearer *token) *http.Request {
	target := *c.urls[q.endpoint]
	target.RawQuery = q.query.Encode()
	// One page says that TenancyName is for the login only, others that every call
	// needs it. Both names are spelt as documented, not as Go would.
	header := http.Header{
		"Accept":      {"application/json, text/plain, */*"},
		"ApiKey":      {c.config.APIKey},
		"TenancyName": {c.config.TenancyName},
	}
	if c.config.UserAgent != "" {
		header.Set("User-Agent", c.config.UserAgent)
	}
	if bearer != nil {
		header.Set("Authorization", "Bearer "+bearer.access)
	}
	req := &http.Request{Method: http.MethodGet, URL: &target, Host: target.Host, Header: header, Body: unrepeatable{}}
	if q.body != nil {
		req.Method = http.MethodPost
		header.Set("Content-Type", "application/json")
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(q.body)), int64(len(q.body))
	}
	return req.WithContext(ctx)
}

// unrepeatable is an empty body that net/http cannot send twice. A GET without a
// body it sends again by itself when a kept connection breaks, and the vendor
// would count a request for which the quota was not asked.
type unrepeatable struct{}

func (unrepeatable) Read([]byte) (int, error) { return 0, io.EOF }
func (unrepeatable) Close() error             { return nil }

// readBody reads the answer into the reply's buffer and parses it.
func (c *Client) readBody(ctx context.Context, q question, resp *http.Response, r *reply) error {
	limit, isImage := int64(maxAnswerBytes), q.endpoint == EndpointImage && r.status/100 == 2
	if isImage {
		limit = c.maxImageBody()
	}
	length := resp.ContentLength // -1 when unknown
	if length > limit {
		return oversized(q.endpoint, r.status)
	}
	if isImage {
		if err := c.reserve(ctx, q, length, r); err != nil {
			return err
		}
	}
	body, err := readAtMost(resp.Body, length, limit, &r.body)
	switch {
	case errors.Is(err, errOverLimit):
		return oversized(q.endpoint, r.status)
	case err != nil:
		fault := connectionError(q.endpoint, err)
		fault.Status = r.status
		return fault
	}
	r.envelope = parseEnvelope(body)
	return nil
}

func oversized(endpoint Endpoint, status int) *Error {
	if endpoint == EndpointImage {
		return &Error{Endpoint: endpoint, Fault: FaultTooLarge, Status: status, Permanent: true}
	}
	return &Error{Endpoint: endpoint, Fault: FaultBadPayload, Status: status}
}

var errOverLimit = errors.New("over the limit")

// readAtMost reads to the end of the body. The buffer grows to what really
// arrives, since a length may be unknown or a lie; it is the caller's to
// recycle even after an error.
func readAtMost(from io.Reader, length, limit int64, into **buffer) ([]byte, error) {
	*into = newBuffer(bodyBuffer(length))
	filled := 0
	for {
		if filled == len((*into).bytes) {
			larger := newBuffer(2 * filled)
			copy(larger.bytes, (*into).bytes)
			(*into).recycle()
			*into = larger
		}
		n, err := from.Read((*into).bytes[filled:])
		filled += n
		if int64(filled) > limit {
			return nil, errOverLimit
		}
		if errors.Is(err, io.EOF) {
			return (*into).bytes[:filled], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// bodyBuffer is one byte more than expected, to find the end without growing.
func bodyBuffer(length int64) int { return int(max(length, 0)) + 1 }

func (r *reply) release() {
	r.body.recycle()
	r.body = nil
	r.hold.shrinkTo(0)
}
