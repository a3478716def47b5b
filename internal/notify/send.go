package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	attemptTimeout = 5 * time.Second
	// largestAnswer is how much of an answer is read, so that its connection can
	// be used again. Its content does not matter.
	largestAnswer = 64 << 10 // bytes
)

var errURL = errors.New("the URL cannot be used")

// sender sends one request at a time, and tries again when that may help.
type sender struct {
	client *http.Client
	waits  []time.Duration // before each further attempt
}

func newSender() *sender {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &sender{
		waits: []time.Duration{time.Second, 2 * time.Second},
		client: &http.Client{
			Timeout:   attemptTimeout,
			Transport: transport,
			// A redirected POST would arrive as a GET without its body, and look
			// delivered; and the URL would be told to somebody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// message is one request.
type message struct {
	method, url, userAgent string
	body                   []byte // JSON, nil for none
}

// send returns nil when an answer of the 200s came. It tries again only as long as
// retrying has not ended. Its errors never contain the URL.
func (s *sender) send(ctx, retrying context.Context, m message) error {
	for attempt := 0; ; attempt++ {
		again, err := s.once(ctx, m)
		if err == nil || !again || attempt == len(s.waits) || retrying.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-retrying.Done():
			return err
		case <-time.After(s.waits[attempt]):
		}
	}
}

// once makes one attempt and reports whether another may help.
func (s *sender) once(ctx context.Context, m message) (again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, m.method, m.url, bytes.NewReader(m.body))
	if err != nil {
		return false, errURL // err quotes it
	}
	request.Header.Set("User-Agent", m.userAgent)
	if m.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := s.client.Do(request)
	if err != nil {
		return true, reason(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, largestAnswer)) // the status says it all
	switch status := response.StatusCode; {
	case status >= 200 && status < 300:
		return false, nil
	case status >= 300 && status < 400:
		return false, fmt.Errorf("answered with status %d: give the URL it redirects to", status)
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return true, fmt.Errorf("answered with status %d", status)
	default:
		return false, fmt.Errorf("answered with status %d", status)
	}
}

// reason says why no answer came, without the URL that net/http's errors quote,
// and without the host name that those below quote.
func reason(err error) error {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return errors.New("no answer in time")
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return errors.New("its host name is unknown")
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return errors.New("its certificate is not trusted")
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return fmt.Errorf("no connection: %w", number)
	}
	return errors.New("the connection failed")
}
