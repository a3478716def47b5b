package vlenstest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// caller talks to a tenant over HTTP, knowing only the vendor's documents.
type caller struct {
	t       *testing.T
	server  *Server
	base    string
	headers map[string]string
	refresh string
}

// reply is what came back; err is a broken connection or body.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error
}

// unlimited is a scenario without a quota, for tests of other things.
func unlimited(edit func(*Scenario)) Scenario {
	sc := Scenario{Quota: QuotaRules{Preset: "none"}}
	if edit != nil {
		edit(&sc)
	}
	return sc
}

func all(rules Rules) Scenario {
	return unlimited(func(sc *Scenario) { sc.All = rules })
}

func start(t *testing.T, options Options) *caller {
	t.Helper()
	server, base := Run(t, options)
	return &caller{t: t, server: server, base: base, headers: map[string]string{
		"ApiKey": DefaultAPIKey, "TenancyName": DefaultTenancy,
	}}
}

// signedIn is a started tenant and a caller with a token.
func signedIn(t *testing.T, options Options) *caller {
	t.Helper()
	c := start(t, options)
	c.login()
	return c
}

func (c *caller) login() reply {
	c.t.Helper()
	r := c.post("/api/credentials/Login", loginBody(DefaultTenancy, DefaultUsername, DefaultPassword))
	c.adopt(r)
	return r
}

func (c *caller) adopt(r reply) {
	data, _ := r.envelope(c.t)["data"].(map[string]any)
	if token, ok := data["accessToken"].(string); ok {
		c.headers["Authorization"] = "Bearer " + token
	}
	if token, ok := data["refreshToken"].(string); ok {
		c.refresh = token
	}
}

func loginBody(tenancy, user, password string) map[string]string {
	return map[string]string{"tenancyName": tenancy, "userNameOrEmailAddress": user, "password": password}
}

func (c *caller) list(identifier string) reply {
	c.t.Helper()
	return c.get("/api/DigitalIdentity/GetUserDigitalIdentityImages?" + url.Values{"emailOrPhoneNumber": {identifier}}.Encode())
}

func (c *caller) image(transaction, name string) reply {
	c.t.Helper()
	return c.get("/api/DigitalIdentity/GetStepImage?" + url.Values{"TransactionId": {transaction}, "FileName": {name}}.Encode())
}

func (c *caller) person(id string) Person {
	c.t.Helper()
	person, found := c.server.Person(id)
	if !found {
		c.t.Fatalf("no person %s", id)
	}
	return person
}

func (c *caller) get(target string) reply {
	c.t.Helper()
	return c.do(http.MethodGet, target, nil)
}

func (c *caller) post(target string, body any) reply {
	c.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.do(http.MethodPost, target, strings.NewReader(string(data)))
}

func (c *caller) do(method, target string, body io.Reader) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+target, body)
	if err != nil {
		c.t.Fatal(err)
	}
	for name, value := range c.headers {
		req.Header.Set(name, value)
	}
	client := &http.Client{Timeout: 5 * time.Minute, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	return reply{status: res.StatusCode, header: res.Header, body: data, err: err}
}

// transport keeps no connection, so that a fault on one cannot reach the next
// request.
var transport = &http.Transport{DisableKeepAlives: true}

func (r reply) envelope(t *testing.T) map[string]any {
	t.Helper()
	if r.err != nil {
		t.Fatalf("request failed: %v", r.err)
	}
	var envelope map[string]any
	if err := json.Unmarshal(r.body, &envelope); err != nil {
		t.Fatalf("status %d, not JSON: %v", r.status, err)
	}
	return envelope
}

func (r reply) data(t *testing.T) map[string]any {
	t.Helper()
	data, ok := r.envelope(t)["data"].(map[string]any)
	if !ok {
		t.Fatalf("status %d, no data in %.200s", r.status, r.body)
	}
	return data
}

// code is the error code of either envelope; 0 for none.
func (r reply) code(t *testing.T) int {
	t.Helper()
	envelope := r.envelope(t)
	if inner, ok := envelope["error"].(map[string]any); ok {
		envelope = map[string]any{"error_code": inner["code"]}
	}
	code, _ := envelope["error_code"].(float64)
	return int(code)
}

func (r reply) want(t *testing.T, status, code int) {
	t.Helper()
	if got := r.code(t); r.status != status || got != code {
		t.Fatalf("got status %d and code %d, want %d and %d", r.status, got, status, code)
	}
}

// picture decodes the image, whatever base64 form it has.
func (r reply) picture(t *testing.T) []byte {
	t.Helper()
	text, ok := r.data(t)["image"].(string)
	if !ok {
		t.Fatalf("no image in %.200s", r.body)
	}
	if strings.HasPrefix(text, "data:") {
		_, text, _ = strings.Cut(text, ",")
	}
	text = strings.NewReplacer("\r\n", "", "-", "+", "_", "/", "=", "").Replace(text)
	data, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		t.Fatalf("decode image: %v", err)
	}
	return data
}

// clock is a clock that only moves when it is told to.
type clock struct{ now time.Time }

func newClock() *clock {
	return &clock{now: time.Date(2026, time.March, 1, 22, 0, 0, 0, time.UTC)}
}

func (c *clock) Now() time.Time          { return c.now }
func (c *clock) advance(d time.Duration) { c.now = c.now.Add(d) }
