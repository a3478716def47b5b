package vlens

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
)

// Causes of a failed connection that quote neither the request nor the answer.
// The transport's own errors do both: a malformed header appears in full.
var (
	errName        = errors.New("the host name could not be resolved")
	errCertificate = errors.New("the server's certificate is not trusted")
	errCut         = errors.New("the connection was closed early")
)

// connectionError is the Error for a request that failed below HTTP.
func connectionError(endpoint Endpoint, err error) *Error {
	if errors.Is(err, errStalled) {
		return &Error{Endpoint: endpoint, Fault: FaultTimeout}
	}
	dial, ok := errors.AsType[*net.OpError](err)
	return &Error{Endpoint: endpoint, Fault: FaultNetwork, Unreached: ok && dial.Op == "dial", err: safeCause(err)}
}

func safeCause(err error) error {
	var number syscall.Errno
	switch {
	case errors.As(err, &number):
		return number
	case is[*net.DNSError](err):
		return errName
	case is[*tls.CertificateVerificationError](err):
		return errCertificate
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errCut
	}
	return nil
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
