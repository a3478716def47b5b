package vlens

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// Config says which tenant to ask, and how.
type Config struct {
	// BaseURL is https, or http to a loopback host. A path in front of the
	// vendor's is kept.
	BaseURL string
	// APIKey, TenancyName, Username and Password are the tenant's credentials;
	// all are required.
	APIKey      string
	TenancyName string
	Username    string
	Password    string
	// Timeout is the longest wait without a byte received, connecting and
	// headers included; a whole response may take longer. Required.
	Timeout time.Duration
	// MaxImageBytes bounds one decoded image. Required.
	MaxImageBytes int64
	// Attempts is how often one request is tried when it fails in a way that may
	// pass; 0 means once. Throttle replies and token renewals do not count.
	Attempts int
	// Codes says what this tenant's error codes mean.
	Codes Codes
	// Quota is asked before every request; nil means no limit.
	Quota Quota
	// Memory is the budget for bodies and decoded images, in bytes; nil means no
	// limit. It must be able to give MaxImageBytes*7/3 + 1 MiB at once.
	Memory Memory
	// Transport sends the requests; nil means one of the client's own. A
	// transport of the caller should have DisableCompression set: images do not
	// shrink, and a compressed body hides its length.
	Transport http.RoundTripper
	// UserAgent is sent with every request when it is not empty.
	UserAgent string
}

// Codes says what values of error_code mean. The vendor publishes none for
// these cases, so each tenant's are learnt from its answers. A code in no list
// that repeats an HTTP status (401, 403, 404, 429) is taken for that status.
type Codes struct {
	// NotFound: there is no such user.
	NotFound []int
	// Gone: the image or the transaction was deleted.
	Gone []int
	// Throttled: too many requests. nil means 4003, which the vendor's SDKs know
	// as "number of trials exceeded".
	Throttled []int
	// Permanent: trying again cannot help.
	Permanent []int
}

// Quota is the vendor's limit on requests, as shared by everything that spends
// it.
type Quota interface {
	// Acquire waits until a request may be sent. The client calls release once,
	// when the response, headers and body, is over or has failed, or when there is
	// nothing to send any more.
	Acquire(ctx context.Context) (release func(), err error)
	// CoolDown holds back everyone's requests after a throttle reply, for at least
	// retryAfter; 0 means that the vendor did not say for how long.
	CoolDown(ctx context.Context, retryAfter time.Duration) error
}

// Memory is a budget of bytes; *semaphore.Weighted of golang.org/x/sync is one.
type Memory interface {
	// Acquire waits until n bytes are free.
	Acquire(ctx context.Context, n int64) error
	// Release gives n bytes back.
	Release(n int64)
}

// throttleCode is the SDKs' code for "number of trials exceeded, try later".
const throttleCode = 4003

func (c *Config) check() error {
	for _, credential := range []struct{ name, value string }{
		{"API key", c.APIKey},
		{"tenancy name", c.TenancyName},
		{"user name", c.Username},
		{"password", c.Password},
	} {
		if credential.value == "" {
			return fmt.Errorf("the %s is empty", credential.name)
		}
		if strings.IndexFunc(credential.value, unicode.IsControl) >= 0 {
			return fmt.Errorf("the %s contains a line end or another control character", credential.name)
		}
	}
	if c.Timeout <= 0 {
		return errors.New("the timeout is not above 0")
	}
	if c.MaxImageBytes <= 0 {
		return errors.New("the largest image size is not above 0")
	}
	return nil
}

// parseBaseURL says nothing of the URL in its errors: it may hold a password.
func parseBaseURL(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil || base.Hostname() == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("the base URL is not of the form https://host")
	}
	if base.Scheme == "https" || base.Scheme == "http" && isLoopback(base.Hostname()) {
		return base, nil
	}
	return nil, errors.New("the base URL is not https; http is only for loopback hosts")
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// Format prints the configuration without its secrets, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, c.String())
}

// String is the configuration without its secrets.
func (c Config) String() string {
	base := "[invalid]"
	if u, err := parseBaseURL(c.BaseURL); err == nil {
		base = u.String()
	}
	return fmt.Sprintf("vlens.Config{BaseURL:%q TenancyName:%q Timeout:%s MaxImageBytes:%d Attempts:%d, secrets redacted}",
		base, c.TenancyName, c.Timeout, c.MaxImageBytes, c.Attempts)
}

// LogValue is the configuration without its secrets.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
