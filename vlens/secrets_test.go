package vlens_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"vlens-archiver/vlens"
)

// planted are the values that must show up nowhere.
var planted = map[string]string{
	"phone":         "+201009998877",
	"email":         "planted.person@example.com",
	"file name":     "planted_id_front.jpg",
	"access token":  "planted-access-token",
	"refresh token": "planted-refresh-token",
	"password":      "planted-password",
	"api key":       "planted-api-key",
	"user name":     "planted-user",
	"message":       "planted vendor message رسالة",
}

func wantNoSecret(t *testing.T, what, text string) {
	t.Helper()
	for name, secret := range planted {
		for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)), fmt.Sprintf("% x", secret)} {
			if strings.Contains(text, form) {
				t.Errorf("%s holds the %s: %s", what, name, text)
			}
		}
	}
}

// wantCleanError looks at an error, and at all it wraps, in every way of
// printing it.
func wantCleanError(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%x"} {
			wantNoSecret(t, verb+" of the error", fmt.Sprintf(verb, err))
		}
	}
}

func plant(c *vlens.Config) {
	c.APIKey, c.Password, c.Username = planted["api key"], planted["password"], planted["user name"]
	c.Attempts = 2
}

func TestNoSecretInErrors(t *testing.T) {
	t.Parallel()
	everything := fmt.Sprint(planted)
	leak := strings.NewReplacer(`"`, "", "\n", " ").Replace(everything)
	bodies := map[string]string{
		"vlens":      `{"data":null,"error_code":5000,"error_message":"` + leak + `","error_descriptions":["` + leak + `"]}`,
		"code":       `{"data":null,"error_code":"` + leak + `"}`,
		"abp":        `{"success":false,"error":{"code":"` + leak + `","message":"` + leak + `"}}`,
		"html":       "<html>" + leak,
		"cut":        `{"data":{"` + leak,
		"bad":        `{"` + leak + `":` + leak + `}`,
		"empty":      "",
		"not images": `{"data":{"image":"` + base64.StdEncoding.EncodeToString([]byte(everything)) + `","idFrontImage":["` + leak + `"],"accessToken":"` + planted["access token"] + `\n"}}`,
		"not base64": `{"data":{"image":"` + leak + `","idBackImage":{"` + leak + `":1}}}`,
		"null":       `{"data":null,"error_message":"` + leak + `"}`,
	}
	answers := map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://example.com/?"+url.QueryEscape(leak))
			w.WriteHeader(http.StatusFound)
		},
		"timeout":      delayed(time.Hour, nil),
		"abort":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"raw status":   raw("HTTP/1.1 " + leak + "\r\n\r\n"),
		"raw header":   raw("HTTP/1.1 200 OK\r\n" + leak + "\r\n\r\n"),
		"raw length":   raw("HTTP/1.1 200 OK\r\nContent-Length: " + leak + "\r\n\r\n"),
		"raw encoding": raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + leak + "\r\n\r\n"),
		"raw chunk":    raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + leak + "\r\n"),
		"raw nothing":  raw(leak),
		"retry after": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", leak)
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"short content": raw("HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{\"data\":{\"" + leak),
	}
	for _, status := range []int{200, 201, 204, 301, 307, 400, 401, 403, 404, 408, 409, 415, 422, 429, 500, 502, 503, 504} {
		for name, body := range bodies {
			answers[fmt.Sprintf("%d %s", status, name)] = says(status, body)
		}
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, endpoint := range []vlens.Endpoint{vlens.EndpointLogin, vlens.EndpointRefresh, vlens.EndpointList, vlens.EndpointImage} {
				bubble(t, func(t *testing.T, v *vendor) {
					v.Login = says(200, tokens(planted["access token"], planted["refresh token"], 60))
					c := v.client(t, plant)
					switch endpoint {
					case vlens.EndpointLogin:
						v.Login = answer
					case vlens.EndpointRefresh:
						if _, err := c.List(t.Context(), planted["email"]); err != nil {
							t.Fatal(err)
						}
						time.Sleep(time.Hour)
						v.Login, v.Refresh = answer, answer
					case vlens.EndpointList:
						v.List = answer
					case vlens.EndpointImage:
						v.Image = answer
					}
					_, listErr := c.List(t.Context(), planted["phone"])
					_, imageErr := c.Image(t.Context(), vlens.ImageRequest{FileName: planted["file name"], TransactionID: transaction})
					if endpoint == vlens.EndpointLogin && listErr == nil || endpoint == vlens.EndpointImage && imageErr == nil {
						t.Error("no error to look at")
					}
					wantCleanError(t, listErr)
					wantCleanError(t, imageErr)
				})
			}
		})
	}
}

// raw answers with bytes that need not be HTTP.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

func TestNoSecretInTransportErrors(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		for name, broken := range map[string]error{
			"url.Error": &url.Error{Op: "Get", URL: "http://localhost/?" + url.Values{"emailOrPhoneNumber": {planted["phone"]}}.Encode(), Err: errors.New(planted["message"])},
			"dns":       &net.DNSError{Err: planted["message"], Name: planted["email"]},
			"op":        &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("proxy %s: %w", planted["password"], io.ErrUnexpectedEOF)},
		} {
			c := v.client(t, func(c *vlens.Config) {
				plant(c)
				c.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, broken })
			})
			_, err := c.List(t.Context(), planted["phone"])
			wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointLogin, Fault: vlens.FaultNetwork})
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			wantCleanError(t, err)
		}
	})
}

func TestNoSecretInRefusedInput(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		c := v.client(t, plant)
		_, err := c.Image(t.Context(), vlens.ImageRequest{FileName: planted["file name"], TransactionID: planted["phone"]})
		wantCleanError(t, err)
		for _, base := range []string{"ftp://" + planted["password"], "https://u:" + planted["password"] + "@h", "http://" + planted["api key"] + ".example.com", "https://h/?k=" + planted["api key"], ":" + planted["password"], "https://h/%zz" + planted["password"]} {
			config := vlens.Config{BaseURL: base, APIKey: "k", TenancyName: "t", Username: "u", Password: planted["password"] + "\n", Timeout: time.Second, MaxImageBytes: 1}
			_, err = vlens.New(config)
			wantCleanError(t, err)
			config.Password = "p"
			_, err = vlens.New(config)
			if err == nil {
				t.Errorf("%q is accepted", base)
			}
			wantCleanError(t, err)
			wantNoSecret(t, "the configuration", fmt.Sprint(config))
		}
	})
}

func TestNoSecretInPrintedClient(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.Login = says(200, tokens(planted["access token"], planted["refresh token"], 60))
		var config vlens.Config
		c := v.client(t, func(c *vlens.Config) { plant(c); config = *c })
		if err := c.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		type around struct {
			Config vlens.Config
			Client *vlens.Client
		}
		type hidden struct{ client *vlens.Client }
		for _, value := range []any{config, &config, c, around{config, c}, &around{config, c}, hidden{c}, []any{config, c}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
				wantNoSecret(t, fmt.Sprintf("%s of %T", verb, value), fmt.Sprintf(verb, value))
			}
		}
		var log bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
			slog.New(handler).InfoContext(context.Background(), "m", "config", config, "client", c)
		}
		wantNoSecret(t, "the log", log.String())
		if !strings.Contains(log.String(), "acme") {
			t.Error("the log shows nothing of the configuration")
		}
	})
}
