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

// try sends one request in a slot of the quota and reads its answer. It gives the
// slot back when the answer is over.
func (c *Client) try(ctx context.Context, q question, s slot) error {
	if ctx.Err() != nil {
		s.release()
		return ctx.Err()
	}
	r := &reply{envelope: envelope{form: formOther}, Provenance: Provenance{RequestID: newRequestID()}}
	defer r.release()
	started := time.Now()
	err := c.roundTrip(ctx, q, s.bearer, r)
	took := max(time.Since(started), 1) // a coarse clock may not have moved
	s.release()
	if err == nil {
		err = c.evaluate(q, r)
	}
	if err == nil && s.bearer != nil {
		s.bearer.worked(q.endpoint)
	}
	info := RequestInfo{Endpoint: q.endpoint, Status: r.status, Duration: took, RequestID: r.RequestID, ServerTime: r.VendorDate}
	if fault, ok := errors.AsType[*Error](err); ok {
		info.Fault, fault.Provenance = fault.Fault, r.Provenance
	}
	watcher(ctx)(info)
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

func (c *Client) roundTrip(ctx context.Context, q question, bearer *token, r *reply) error {
	exchange, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	exchange = sendingOnce(exchange, cancel)
	guard := stallGuard{ctx: exchange, cancel: cancel, timeout: c.config.Timeout}
	var resp *http.Response
	err := guard.wait(func() (err error) {
		resp, err = c.config.Transport.RoundTrip(c.request(exchange, q, bearer, r.RequestID)) //nolint:bodyclose // closed below
		return err
	})
	if err != nil && errors.Is(context.Cause(exchange), errCut) {
		err = errCut // not every transport passes on the cause of its context
	}
	if err != nil {
		return orCancelled(ctx, connectionError(q.endpoint, err))
	}
	defer resp.Body.Close()
	r.status, r.retryAfter = resp.StatusCode, retryAfter(resp.Header)
	r.VendorDate, _ = http.ParseTime(resp.Header.Get("Date"))

	err = c.readBody(ctx, q, guardedReader{guard, resp.Body}, resp.ContentLength, r)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	// The status of a failure is answer enough, whatever became of its body.
	if err != nil && r.status/100 == 2 {
		return err
	}
	return nil
}

func (c *Client) request(ctx context.Context, q question, bearer *token, id string) *http.Request {
	target := *c.urls[q.endpoint]
	target.RawQuery = q.query.Encode()
	// One page says that TenancyName is for the login only, others that every call
	// needs it. Both names are spelt as documented, not as Go would.
	header := http.Header{
		"Accept":      {"application/json, text/plain, */*"},
		"ApiKey":      {c.config.APIKey},
		"TenancyName": {c.config.TenancyName},
	}
	header.Set(requestIDHeader, id)
	if c.config.UserAgent != "" {
		header.Set("User-Agent", c.config.UserAgent)
	}
	if bearer != nil {
		header.Set("Authorization", "Bearer "+bearer.access)
	}
	req := &http.Request{Method: http.MethodGet, URL: &target, Host: target.Host, Header: header}
	if q.body != nil {
		req.Method = http.MethodPost
		header.Set("Content-Type", "application/json")
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(q.body)), int64(len(q.body))
	}
	return req.WithContext(ctx)
}

// readBody reads the answer and parses it. The length is -1 when it is unknown, and
// may be a lie.
func (c *Client) readBody(ctx context.Context, q question, from io.Reader, length int64, r *reply) error {
	limit, isImage := int64(maxAnswerBytes), q.endpoint == EndpointImage && r.status/100 == 2
	if isImage {
		limit = c.maxImageBody()
	}
	if length > limit {
		return oversized(q.endpoint, r.status)
	}
	if isImage {
		if err := c.reserve(ctx, q, length, r); err != nil {
			return err
		}
	}
	r.buffer = newBuffer(bodyBuffer(length))
	body := bytes.NewBuffer(r.buffer.bytes[:0])
	_, err := body.ReadFrom(io.LimitReader(from, limit+1))
	switch {
	case int64(body.Len()) > limit:
		return oversized(q.endpoint, r.status)
	case err != nil:
		fault := connectionError(q.endpoint, err)
		fault.Status = r.status
		return fault
	}
	r.envelope = parseEnvelope(body.Bytes())
	return nil
}

// bodyBuffer is the room in which a body of the given length is read without
// growing.
func bodyBuffer(length int64) int { return int(max(length, 0)) + bytes.MinRead }

func oversized(endpoint Endpoint, status int) *Error {
	if endpoint == EndpointImage {
		return &Error{Endpoint: endpoint, Fault: FaultTooLarge, Status: status, Permanent: true}
	}
	return &Error{Endpoint: endpoint, Fault: FaultBadPayload, Status: status}
}

func (r *reply) release() {
	r.buffer.recycle()
	r.hold.shrinkTo(0)
}
