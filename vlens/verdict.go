package vlens

import (
	"net/http"
	"slices"
	"time"
)

// reply is an answer of the vendor, read to its end.
type reply struct {
	status     int
	retryAfter time.Duration
	serverTime time.Time // zero when the answer does not tell
	envelope   envelope
	buffer     *buffer // what envelope's values point into
	hold       hold
}

// judge decides whether a reply is a success, and what fault it is otherwise.
// The status comes first and then the code, because the vendor states errors in
// either or both; only codes that the tenant's configuration explains go before
// the status.
func (c *Codes) judge(endpoint Endpoint, r *reply) *Error {
	e := &Error{
		Endpoint: endpoint, Status: r.status, Code: r.envelope.code, Enveloped: r.envelope.form != formOther, retryAfter: r.retryAfter,
	}
	listed := func(codes []int) bool { return e.Code != 0 && slices.Contains(codes, e.Code) }
	is := func(status int) bool { return r.status == status || e.Code == status }
	env, success := &r.envelope, r.status/100 == 2

	switch {
	case r.status == http.StatusTooManyRequests, listed(c.Throttled):
		e.Fault = FaultThrottled
	case endpoint == EndpointLogin && refusesLogin(r):
		e.Fault, e.Permanent = FaultUnauthorized, true
	case r.status == http.StatusUnauthorized:
		e.Fault, e.Permanent = FaultUnauthorized, true
	case listed(c.NotFound):
		e.Fault, e.Permanent = FaultNotFound, true
	case listed(c.Gone):
		e.Fault, e.Permanent = FaultGone, true
	case listed(c.Permanent):
		e.Fault, e.Permanent = FaultVendorError, true
	case is(http.StatusForbidden):
		e.Fault, e.Permanent = FaultForbidden, true
	case is(http.StatusUnauthorized), env.unauthorized:
		e.Fault, e.Permanent = FaultUnauthorized, true
	case is(http.StatusTooManyRequests), r.status == http.StatusServiceUnavailable:
		e.Fault = FaultThrottled
	case is(http.StatusNotFound) && env.form != formOther && endpoint == EndpointList:
		e.Fault, e.Permanent = FaultNotFound, true
	case is(http.StatusNotFound) && env.form != formOther && endpoint == EndpointImage:
		e.Fault, e.Permanent = FaultGone, true
	case !success:
		e.Fault, e.deliberate = FaultVendorError, r.status < 500 && r.status != http.StatusRequestTimeout && env.form != formOther
	case env.failed:
		e.Fault, e.deliberate = FaultVendorError, true
	case env.form != formJSON:
		e.Fault = FaultBadPayload
	case !env.hasData:
		e.Fault, e.deliberate = FaultBadPayload, true
	default:
		return nil
	}
	return e
}

// refusesLogin reports whether a reply to a login is a refusal. A 5xx is not,
// whatever its body says, nor is a page of HTML where the API should be: both
// pass.
func refusesLogin(r *reply) bool {
	switch {
	case r.envelope.unauthorized:
		return true
	case r.status == http.StatusNotFound, r.status == http.StatusMethodNotAllowed:
		return r.envelope.form != formOther
	case r.status == http.StatusRequestTimeout:
		return false
	case r.status/100 == 4:
		return true
	}
	return r.status/100 == 2 && r.envelope.failed
}
