package vlens

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Client asks one tenant of the Vlens API. It is safe for use by many
// goroutines, and takes no lock of its own while its token is good.
type Client struct {
	// The configuration is behind a pointer so that printing a Client in any way
	// shows an address, not secrets.
	config  *Config
	urls    map[Endpoint]*url.URL
	session *session
}

// paths are as the vendor's operation pages have them (docs.vlenseg.com,
// "Login", "Refresh Token", "Get User Digital Identity Images", "Get Step Image").
var paths = map[Endpoint]string{
	EndpointLogin:   "api/credentials/Login",
	EndpointRefresh: "api/credentials/RefreshToken",
	EndpointList:    "api/DigitalIdentity/GetUserDigitalIdentityImages",
	EndpointImage:   "api/DigitalIdentity/GetStepImage",
}

// New checks the configuration and returns a client. It sends nothing.
func New(config Config) (*Client, error) {
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("vlens client: %w", err)
	}
	base, err := parseBaseURL(config.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("vlens client: %w", err)
	}
	if base.Path == "" {
		base.Path = "/" // JoinPath would make the path relative
	}
	if config.Codes.Throttled == nil {
		config.Codes.Throttled = []int{throttleCode}
	}
	if config.Transport == nil {
		config.Transport = newTransport()
	}
	c := &Client{config: &config, urls: make(map[Endpoint]*url.URL, len(paths))}
	for endpoint, path := range paths {
		c.urls[endpoint] = base.JoinPath(path)
	}
	c.session = newSession(c)
	return c, nil
}

// Login logs in, even if an earlier login was refused. Other calls log in by
// themselves; this one tells early whether they could.
func (c *Client) Login(ctx context.Context) error { return c.session.loginAnew(ctx, false) }

// CheckIn logs in anew, in one request that is not repeated: something cheap that
// must work as long as the vendor is there. A refusal is an answer, too.
func (c *Client) CheckIn(ctx context.Context) error { return c.session.loginAnew(ctx, true) }

// List returns the images the vendor has of the user with this email, or phone
// in E.164 form.
func (c *Client) List(ctx context.Context, emailOrPhone string) (Listing, error) {
	if emailOrPhone == "" {
		return Listing{}, errors.New("list images: the email or phone is empty")
	}
	var listing Listing
	err := c.ask(ctx, listQuestion(emailOrPhone, &listing))
	return listing, err
}

func listQuestion(emailOrPhone string, into *Listing) question {
	return question{
		endpoint: EndpointList,
		query:    url.Values{"emailOrPhoneNumber": {emailOrPhone}},
		read: func(r *reply) *Error {
			var ok bool
			if *into, ok = parseListing(r.envelope.data); !ok {
				return unreadable(EndpointList, r)
			}
			into.Provenance = r.Provenance
			return nil
		},
	}
}

// CloseIdleConnections closes the connections that no request is using.
func (c *Client) CloseIdleConnections() {
	(&http.Client{Transport: c.config.Transport}).CloseIdleConnections()
}

// Format prints the client without its secrets, whatever the verb.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "vlens.Client("+c.urls[EndpointLogin].Host+")")
}

// unreadable is the Error for a success whose data is not what was asked for.
func unreadable(endpoint Endpoint, r *reply) *Error {
	return &Error{Endpoint: endpoint, Fault: FaultBadPayload, Status: r.status, deliberate: true}
}
