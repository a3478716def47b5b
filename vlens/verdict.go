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
	Provenance
	envelope envelope
	buffer   *buffer // what envelope's values point into
	hold     hold
}

// judge decides whether a reply is a success, and what fault it is otherwise.
// The status comes first and then the code, because the vendor states errors in
// either or both; only codes that the tenant's configuration explains go before
// the status. What is not the vendor's own answer means nothing definite.
func (c *Codes) judge(endpoint Endpoint, r *reply) *Error {
	e := &Error{
		Endpoint: endpoint, Status: r.status, Code: r.envelope.code, Enveloped: r.fromApplication(), retryAfter: r.retryAfter,
	}
	listed := func(codes []int) bool { return e.Code != 0 && slices.Contains(codes, e.Code) }
	is := func(status int) bool { return r.status == status || e.Code == status }
	env, success := &r.envelope, r.status/100 == 2

	switch {
	case r.status == http.StatusTooManyRequests, listed(c.Throttled):
		e.Fault = FaultThrottled
	case r.foreign():
		e.Fault, e.Foreign, e.deliberate = FaultVendorError, true, r.status < 500
		if success {
			e.Fault = FaultBadPayload
		}
		if r.status == http.StatusServiceUnavailable {
			e.Fault = FaultThrottled
		}
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
	case is(http.StatusNotFound) && env.own && !contradicts404(e.Code) && endpoint == EndpointList:
		e.Fault, e.Permanent = FaultNotFound, true
	case is(http.StatusNotFound) && env.own && !contradicts404(e.Code) && endpoint == EndpointImage:
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

// foreign reports whether something before the vendor's application gave the
// answer: a page, a redirect, or, without an envelope, a status by which a
// gateway, firewall or proxy says that it does not let the request through or
// knows no such route. A bare 401 is the application's: the framework's check of
// the token comes before the envelope.
func (r *reply) foreign() bool {
	switch {
	case r.envelope.own:
		return false
	case r.envelope.form == formPage, r.status/100 == 3:
		return true
	}
	switch r.status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired:
		return true
	}
	return false
}

// fromApplication reports whether the vendor's application gave the answer, and
// no gateway before it. A parameter that it does not take the framework refuses
// without the envelope.
func (r *reply) fromApplication() bool {
	refusesParameter := r.status == http.StatusBadRequest || r.status == http.StatusUnprocessableEntity
	return r.envelope.own || refusesParameter && (r.envelope.form == formJSON || r.envelope.form == formEmpty)
}

// contradicts404 reports whether a code says something else than a status of 404
// does: it repeats another status, or is the one for unspecified failures.
func contradicts404(code int) bool {
	return code == unspecifiedCode || code >= 400 && code < 600 && code != http.StatusNotFound
}

// unspecifiedCode is the SDKs' code for "contact support".
const unspecifiedCode = 5000

// refusesLogin reports whether a reply to a login is a refusal. A 5xx is not,
// whatever its body says, nor is what a gateway answers in the vendor's place:
// both pass.
func refusesLogin(r *reply) bool {
	switch {
	case r.envelope.unauthorized:
		return true
	case r.status == http.StatusRequestTimeout:
		return false
	case r.status/100 == 4:
		return true
	}
	return r.status/100 == 2 && r.envelope.failed
}
