package config

import (
	"net"
	"net/url"
	"strings"
)

// webURL parses an http or https URL of a service. It has no user, since what
// is not a secret key may be shown, and no fragment, since none is sent.
func webURL(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, false
	}
	return u, u.Hostname() != "" && u.User == nil && u.Fragment == ""
}

// normalBaseURL gives one spelling to the URLs of one API, and refuses to send
// credentials unencrypted over a network.
func normalBaseURL(text string) (string, bool) {
	u, ok := webURL(text)
	if !ok || u.RawQuery != "" || u.ForceQuery {
		return "", false
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return "", false
	}
	u.Host = strings.ToLower(u.Host)
	return strings.TrimRight(u.String(), "/"), true
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// isDatabaseURL accepts the connection URIs of the PostgreSQL manual; the host
// may be left out or be in the query, for a unix socket.
func isDatabaseURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") && u.Opaque == ""
}
