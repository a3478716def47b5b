package vlens

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

const proxyCredentials = "the proxy wants credentials; give them in HTTPS_PROXY, or add the host of vlens.base_url to NO_PROXY"

// Causes of a failed connection that quote neither the request nor the answer.
// The transport's own errors do both: a malformed header appears in full.
var (
	errName        = errors.New("the host name could not be resolved; check vlens.base_url and DNS")
	errCertificate = errors.New("the server's certificate is not trusted; if a proxy in between opens TLS, add its root certificate to those of the system")
	errCertHost    = errors.New("the server's certificate is not trusted: it is for another host; check vlens.base_url, and proxies in between")
	errCertTime    = errors.New("the server's certificate is not trusted: it has expired or is not valid yet; check this machine's clock")
	errNoTLS       = errors.New("the server does not speak TLS; check the port in vlens.base_url, and proxies in between")
	errTLS         = errors.New("the server broke off the TLS handshake; check proxies and firewalls in between")
	errNoHTTP      = errors.New("the answer is not HTTP as this program knows it; check the port in vlens.base_url, and proxies in between")
	errConnecting  = errors.New("connecting took too long; check egress rules and the network policy")
	errCut         = errors.New("the connection was closed early")
)

// connectionError is the Error for a request that failed below HTTP.
func connectionError(endpoint Endpoint, err error) *Error {
	if errors.Is(err, errStalled) {
		return &Error{Endpoint: endpoint, Fault: FaultTimeout}
	}
	dial, ok := errors.AsType[*net.OpError](err)
	unreached := ok && dial.Op == "dial" || is[*proxyRefusal](err)
	return &Error{Endpoint: endpoint, Fault: FaultNetwork, Unreached: unreached, err: safeCause(err)}
}

func safeCause(err error) error {
	var number syscall.Errno
	refusal, byProxy := errors.AsType[*proxyRefusal](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	timeout, canTime := errors.AsType[net.Error](err)
	switch {
	case byProxy:
		return refusal
	case errors.As(err, &number):
		return number
	case is[*net.DNSError](err):
		return errName
	case is[x509.HostnameError](err):
		return errCertHost
	case isInvalid && invalid.Reason == x509.Expired:
		return errCertTime
	case is[*tls.CertificateVerificationError](err):
		return errCertificate
	case says(err, "malformed HTTP "), says(err, "malformed MIME header"):
		return errNoHTTP
	case is[tls.RecordHeaderError](err), errors.Is(err, http.ErrSchemeMismatch):
		return errNoTLS
	case says(err, "tls: "):
		return errTLS
	case errors.Is(err, errCut), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), says(err, "http: server closed idle connection"):
		return errCut
	case says(err, "http2: "):
		return errNoHTTP
	case canTime && timeout.Timeout():
		return errConnecting
	}
	return nil
}

// says reports whether an error of net/http or crypto/tls that has no type of its
// own has these words.
func says(err error, words string) bool { return strings.Contains(err.Error(), words) }

// proxyRefusal is the answer of a proxy that does not connect to the vendor.
type proxyRefusal struct{ status int }

func (e *proxyRefusal) Error() string {
	if e.status == http.StatusProxyAuthRequired {
		return proxyCredentials
	}
	return fmt.Sprintf("the proxy refused to connect to the host, with status %d; have it allow the host of vlens.base_url, or add that to NO_PROXY", e.status)
}

// proxyConnected looks at a proxy's answer to CONNECT.
func proxyConnected(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode/100 != 2 {
		return &proxyRefusal{answer.StatusCode}
	}
	return nil
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
