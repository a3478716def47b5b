package vlens_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vlens-archiver/vlens"
)

func TestNewChecksItsConfiguration(t *testing.T) {
	t.Parallel()
	good := vlens.Config{
		BaseURL: "https://api.vlenseg.com", APIKey: "k", TenancyName: "t", Username: "u", Password: "p", Timeout: time.Second, MaxImageBytes: 1,
	}
	for name, test := range map[string]struct {
		change func(*vlens.Config)
		ok     bool
	}{
		"good":            {func(*vlens.Config) {}, true},
		"loopback":        {func(c *vlens.Config) { c.BaseURL = "http://127.0.0.1:8080" }, true},
		"loopback, IPv6":  {func(c *vlens.Config) { c.BaseURL = "http://[::1]:8080/x" }, true},
		"localhost":       {func(c *vlens.Config) { c.BaseURL = "http://LocalHost" }, true},
		"http":            {func(c *vlens.Config) { c.BaseURL = "http://api.vlenseg.com" }, false},
		"http, deceptive": {func(c *vlens.Config) { c.BaseURL = "http://localhost.example.com" }, false},
		"no scheme":       {func(c *vlens.Config) { c.BaseURL = "api.vlenseg.com" }, false},
		"credentials":     {func(c *vlens.Config) { c.BaseURL = "https://u:p@api.vlenseg.com" }, false},
		"query":           {func(c *vlens.Config) { c.BaseURL = "https://api.vlenseg.com?a=b" }, false},
		"no API key":      {func(c *vlens.Config) { c.APIKey = "" }, false},
		"no tenant":       {func(c *vlens.Config) { c.TenancyName = "" }, false},
		"no user":         {func(c *vlens.Config) { c.Username = "" }, false},
		"no password":     {func(c *vlens.Config) { c.Password = "" }, false},
		"line end in key": {func(c *vlens.Config) { c.APIKey = "k\n" }, false},
		"no timeout":      {func(c *vlens.Config) { c.Timeout = 0 }, false},
		"no size":         {func(c *vlens.Config) { c.MaxImageBytes = 0 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := good
			test.change(&config)
			if _, err := vlens.New(config); (err == nil) != test.ok {
				t.Errorf("error %v", err)
			}
		})
	}
}

// The client's own transport, on a real socket, with HTTP/1.1 and HTTP/2.
func TestOnRealSockets(t *testing.T) {
	t.Parallel()
	v := &vendor{
		Login: says(200, tokens("a", "r", 600)), List: says(200, listing(`"idFrontImage":"a.jpg"`)), Image: says(200, imageBody(photo)),
	}
	check := func(t *testing.T, server *httptest.Server, transport http.RoundTripper) {
		t.Helper()
		c := v.client(t, func(c *vlens.Config) {
			c.BaseURL, c.Transport = server.URL, transport
		})
		defer c.CloseIdleConnections()
		wantAll(t, together(20, func() error {
			if _, err := c.List(t.Context(), phone); err != nil {
				return err
			}
			i, err := c.Image(t.Context(), wanted)
			if err != nil {
				return err
			}
			defer i.Release()
			if !bytes.Equal(i.Bytes, photo) {
				t.Error("other bytes")
			}
			return nil
		}), nil)
	}
	t.Run("HTTP/1.1", func(t *testing.T) {
		server := httptest.NewServer(v)
		defer server.Close()
		check(t, server, nil)
	})
	t.Run("HTTP/2", func(t *testing.T) {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 2 {
				t.Errorf("spoke %s", r.Proto)
			}
			v.ServeHTTP(w, r)
		}))
		server.EnableHTTP2 = true
		server.StartTLS()
		defer server.Close()
		check(t, server, server.Client().Transport)
	})
	t.Run("a certificate that is not trusted", func(t *testing.T) {
		server := httptest.NewUnstartedServer(v)
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		defer server.Close()
		c := v.client(t, func(c *vlens.Config) { once(c); c.BaseURL, c.Transport = server.URL, nil })
		err := c.Login(t.Context())
		wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointLogin, Fault: vlens.FaultNetwork})
		if !strings.Contains(err.Error(), "certificate") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		server := httptest.NewServer(v)
		server.Close()
		c := v.client(t, func(c *vlens.Config) { once(c); c.BaseURL, c.Transport = server.URL, nil })
		err := c.Login(t.Context())
		wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointLogin, Fault: vlens.FaultNetwork})
		if !strings.Contains(err.Error(), "refused") {
			t.Errorf("error %v", err)
		}
	})
}
