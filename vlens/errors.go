package vlens

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Endpoint names one of the calls that the client makes.
type Endpoint string

// The endpoints.
const (
	EndpointLogin   Endpoint = "login"
	EndpointRefresh Endpoint = "refresh"
	EndpointList    Endpoint = "list"
	EndpointImage   Endpoint = "image"
)

// Fault says what went wrong with a request.
type Fault string

// The faults.
const (
	// FaultUnauthorized: the credentials are refused, or a token fresh from a
	// login or refresh is.
	FaultUnauthorized Fault = "unauthorized"
	// FaultForbidden: the account lacks the permission; a fresh login did not help.
	FaultForbidden Fault = "forbidden"
	// FaultThrottled: the vendor kept answering that the quota is used up.
	FaultThrottled Fault = "throttled"
	// FaultNotFound: there is no such user.
	FaultNotFound Fault = "not_found"
	// FaultGone: the image no longer exists.
	FaultGone Fault = "gone"
	// FaultVendorError: the vendor, or a gateway before it, answered with an error
	// that has no other fault.
	FaultVendorError Fault = "vendor_error"
	// FaultTimeout: no byte arrived for as long as Config.Timeout.
	FaultTimeout Fault = "timeout"
	// FaultNetwork: the connection failed.
	FaultNetwork Fault = "network"
	// FaultBadPayload: the answer says success and cannot be read.
	FaultBadPayload Fault = "bad_payload"
	// FaultNotAnImage: the bytes are of no known image type.
	FaultNotAnImage Fault = "not_an_image"
	// FaultTooLarge: the image is larger than Config.MaxImageBytes.
	FaultTooLarge Fault = "too_large"

	// FaultCount is the number of faults.
	FaultCount = iota
)

var meanings = [...]struct {
	fault Fault
	text  string
}{
	{FaultUnauthorized, "the credentials were refused; check API key, tenancy name, user name and password"},
	{FaultForbidden, "permission was refused; the account needs the \"Requests\" permission"},
	{FaultThrottled, "the vendor keeps answering that the request limit is reached"},
	{FaultNotFound, "there is no such user"},
	{FaultGone, "the image no longer exists"},
	{FaultVendorError, "the vendor answered with an error"},
	{FaultTimeout, "no byte arrived in time"},
	{FaultNetwork, "the connection failed"},
	{FaultBadPayload, "the answer could not be read"},
	{FaultNotAnImage, "the bytes are of no known image type"},
	{FaultTooLarge, "the image is larger than the limit"},
}

var _ = [1]struct{}{}[FaultCount-len(meanings)] // a fault has no meaning

func (f Fault) meaning() string {
	for _, m := range meanings {
		if m.fault == f {
			return m.text
		}
	}
	return string(f)
}

// Error is a request that the vendor did not answer as asked. It holds nothing
// personal and no text of the vendor.
type Error struct {
	// Endpoint is what was asked. For a listing or image that could not be asked
	// for because logging in failed, it is EndpointLogin.
	Endpoint Endpoint
	Fault    Fault
	// Status is the HTTP status; 0 without a response.
	Status int
	// Code is the vendor's error_code; 0 when there was none that is a number.
	Code int
	// Permanent means that asking again cannot help.
	Permanent bool
	// Unreached means that there was no connection: the host could not be
	// resolved, or did not accept one.
	Unreached bool
	// Enveloped means that the answer had the form of the vendor's own: its
	// application gave it, and no gateway before it.
	Enveloped bool
	// Foreign means that something before the vendor's application certainly gave
	// the answer. The vendor has said nothing.
	Foreign bool

	// Provenance names the request that failed.
	Provenance

	retryAfter time.Duration // of a throttle reply; 0 when none was sent
	// deliberate: the vendor understood and chose this answer, so that asking
	// again rarely helps.
	deliberate bool
	err        error // the cause; of a kind that quotes neither request nor answer
}

// Error says what was asked, what came back, and what it means.
func (e *Error) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "vlens %s: ", e.Endpoint)
	if e.Status != 0 {
		fmt.Fprintf(&text, "HTTP status %d, ", e.Status)
	}
	if e.Code != 0 {
		fmt.Fprintf(&text, "vendor code %d, ", e.Code)
	}
	if e.Foreign {
		text.WriteString(foreignMeaning(e.Status))
	} else {
		text.WriteString(e.Fault.meaning())
	}
	if e.err != nil {
		fmt.Fprintf(&text, ": %v", e.err)
	}
	return text.String()
}

// foreignMeaning is what an answer says that is not the vendor's, by its status,
// and what to do about it.
func foreignMeaning(status int) string {
	switch {
	case status == http.StatusForbidden:
		return "this is no answer of Vlens: a firewall, gateway or proxy before it blocks the request; find out which, and have it let the request through"
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return "this is no answer of Vlens: where the request arrived there is no such route; check vlens.base_url, and proxies in between"
	case status == http.StatusProxyAuthRequired:
		return "this is no answer of Vlens: " + proxyCredentials
	case status/100 == 3:
		return "this is no answer of Vlens but a redirect, perhaps to a login page; check vlens.base_url, and proxies in between"
	}
	return "this is no answer of Vlens but a page of a gateway, firewall or proxy before it; if it lasts, find out which"
}

// Unwrap is the cause, for faults that have one.
func (e *Error) Unwrap() error { return e.err }
