package vlenstest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		fault  string
		status int // 0 when no whole reply comes
		whole  bool
		broken func(error) bool
	}{
		{"slow_headers", 200, true, nil},
		{"slow_body", 200, true, nil},
		{"reset", 0, false, func(err error) bool {
			return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.ErrUnexpectedEOF)
		}},
		{"long_length", 200, false, func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"short_length", 200, false, nil},
		{"error", 500, true, nil},
		{"html_502", 502, false, nil},
		{"empty_503", 503, false, nil},
		{"empty_200", 200, false, nil},
		{"error_404", 404, true, nil},
		{"html_403", 403, false, nil},
		{"html_404", 404, false, nil},
		{"html_401", 401, false, nil},
		{"html_200", 200, false, nil},
		{"json_404", 404, true, nil},
		{"empty_407", 407, false, nil},
		{"empty_404", 404, false, nil},
		{"empty_403", 403, false, nil},
		{"empty_401", 401, false, nil},
		{"redirect", 302, false, nil},
		{"throttled", 429, true, nil},
	} {
		for _, endpoint := range []Endpoint{List, Image} {
			t.Run(tc.fault+" at "+string(endpoint), func(t *testing.T) {
				t.Parallel()
				sc := all(Rules{Faults: map[Endpoint]string{endpoint: tc.fault}})
				sc.Delay = 40 * time.Millisecond
				c := signedIn(t, Options{ImageBytes: 8 << 10, Scenario: sc})
				person := c.person("u-000001")
				call := func() reply {
					if endpoint == List {
						return c.list(person.Phone)
					}
					return c.image(person.TransactionID, person.FileName(IDFront))
				}
				began := time.Now()
				r := call()
				if (tc.fault == "slow_headers" || tc.fault == "slow_body") && time.Since(began) < sc.Delay {
					t.Error("it was not slow")
				}
				if tc.broken != nil {
					if !tc.broken(r.err) {
						t.Errorf("got status %d, error %v", r.status, r.err)
					}
					return
				}
				if r.err != nil || r.status != tc.status {
					t.Fatalf("status %d, error %v", r.status, r.err)
				}
				if whole := len(r.body) > 0 && r.body[0] == '{' && r.body[len(r.body)-1] != '"' && endsJSON(r.body); whole != tc.whole {
					t.Errorf("whole body: %t", whole)
				}
				if err := c.server.Change(func(sc *Scenario) { sc.All.Faults[endpoint] = tc.fault + " once" }); err != nil {
					t.Fatal(err)
				}
				if r := call(); r.status != tc.status {
					t.Errorf("once, the first time: status %d", r.status)
				}
				if r := call(); r.err != nil || r.status != 200 || !endsJSON(r.body) {
					t.Errorf("once, the second time: status %d, error %v", r.status, r.err)
				}
			})
		}
	}
}

func endsJSON(body []byte) bool {
	for i := len(body) - 1; i >= 0; i-- {
		if body[i] != '\n' {
			return body[i] == '}'
		}
	}
	return false
}

func TestStallLastsUntilTheClientLeaves(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{ImageBytes: 8 << 10, Scenario: all(Rules{Images: map[Kind]string{IDFront: "stall"}})})
	person := c.person("u-000001")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+imagePath+"?TransactionId="+person.TransactionID+"&FileName="+person.FileName(IDFront), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range c.headers {
		req.Header.Set(name, value)
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	half := make([]byte, 1000)
	if _, err := io.ReadFull(res.Body, half); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, res.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("the body ended with %v", err)
	}
}

func TestStallEndsWithTheServer(t *testing.T) {
	t.Parallel()
	server, err := New(Options{Scenario: all(Rules{Faults: map[Endpoint]string{Login: "stall"}})})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	listener := listen(t)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+listener.Addr().String()+"/api/credentials/Login", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("ApiKey", DefaultAPIKey)
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	cancel()
	if _, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Error("the stalled answer ended politely")
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestFaultsOfLogin(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Scenario: all(Rules{Faults: map[Endpoint]string{Login: "error once", Refresh: "html_502"}})})
	for i, want := range []int{500, 200} {
		if r := c.post("/api/credentials/Login", loginBody(DefaultTenancy, DefaultUsername, DefaultPassword)); r.status != want {
			t.Errorf("login %d: status %d", i+1, r.status)
		}
	}
	if r := c.post("/api/credentials/RefreshToken", map[string]string{"refreshToken": "x"}); r.status != 502 {
		t.Errorf("refresh: status %d", r.status)
	}
}

func TestOnceIsForEachUserAndImage(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{ImageBytes: 8 << 10, Scenario: all(Rules{Faults: map[Endpoint]string{Image: "error once"}})})
	first, second := c.person("u-000001"), c.person("u-000002")
	for i, ask := range []struct {
		person Person
		kind   Kind
		status int
	}{
		{first, IDFront, 500},
		{first, IDBack, 500},
		{second, IDFront, 500},
		{first, IDFront, 200},
		{first, IDBack, 200},
		{second, IDFront, 200},
	} {
		if r := c.image(ask.person.TransactionID, ask.person.FileName(ask.kind)); r.status != ask.status {
			t.Errorf("request %d: status %d, want %d", i+1, r.status, ask.status)
		}
	}
}

func TestOutageHitsEverythingForAWhile(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{ImageBytes: 8 << 10, Scenario: unlimited(func(sc *Scenario) {
		sc.Outage = OutageRules{From: 3, Requests: 2, Fault: "empty_503"}
	})})
	if got := c.ask(); got != 200 {
		t.Errorf("request 2: status %d", got)
	}
	if got := c.ask(); got != 503 {
		t.Errorf("request 3: status %d", got)
	}
	if r := c.post("/api/credentials/Login", nil); r.status != 503 {
		t.Errorf("request 4: status %d", r.status)
	}
	if got := c.ask(); got != 200 {
		t.Errorf("request 5: status %d", got)
	}
}
