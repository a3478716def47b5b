package vlenstest

import (
	"strings"
	"testing"
	"time"
)

func TestLoginChecksEveryCredential(t *testing.T) {
	t.Parallel()
	good := loginBody(DefaultTenancy, DefaultUsername, DefaultPassword)
	for _, tc := range []struct {
		name    string
		headers map[string]string
		body    any
		status  int
	}{
		{"right", nil, good, 200},
		{"user name in capitals", nil, loginBody(DefaultTenancy, strings.ToUpper(DefaultUsername), DefaultPassword), 200},
		{"wrong password", nil, loginBody(DefaultTenancy, DefaultUsername, "wrong"), 401},
		{"wrong user", nil, loginBody(DefaultTenancy, "someone", DefaultPassword), 401},
		{"wrong tenancy in body", nil, loginBody("someone", DefaultUsername, DefaultPassword), 401},
		{"wrong tenancy in header", map[string]string{"TenancyName": "someone"}, good, 401},
		{"no tenancy in header", map[string]string{"TenancyName": ""}, good, 401},
		{"wrong API key", map[string]string{"ApiKey": "wrong"}, good, 401},
		{"no API key", map[string]string{"ApiKey": ""}, good, 401},
		{"API key of another tenant", map[string]string{"ApiKey": OtherAPIKey}, good, 401},
		{"no password", nil, loginBody(DefaultTenancy, DefaultUsername, ""), 400},
		{"33 characters of password", nil, loginBody(DefaultTenancy, DefaultUsername, strings.Repeat("x", 33)), 400},
		{"257 characters of user", nil, loginBody(DefaultTenancy, strings.Repeat("x", 257), DefaultPassword), 400},
		{"not an object", nil, "password", 400},
		{"more than is read", nil, loginBody(DefaultTenancy, strings.Repeat("x", longestBody), DefaultPassword), 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := start(t, Options{})
			for name, value := range tc.headers {
				c.headers[name] = value
			}
			if r := c.post("/API/Credentials/LOGIN", tc.body); r.status != tc.status {
				t.Errorf("got status %d, want %d", r.status, tc.status)
			}
		})
	}
}

func TestLoginAnswersAsDocumented(t *testing.T) {
	t.Parallel()
	r := start(t, Options{}).login()
	if _, found := r.envelope(t)["error_code"]; found {
		t.Error("the documented login envelope has no error_code")
	}
	data := r.data(t)
	if data["expireInSeconds"] != 86400.0 || data["refreshTokenExpireInSeconds"] != 604800.0 {
		t.Errorf("lifetimes are %v and %v", data["expireInSeconds"], data["refreshTokenExpireInSeconds"])
	}
	if data["apiKey"] == "" || data["bundleKey"] == "" {
		t.Error("a login body must hold keys that a client could leak")
	}
}

// ask lists a user and gives the status.
func (c *caller) ask() int {
	c.t.Helper()
	r := c.list(c.person("u-000001").Phone)
	if r.err != nil {
		c.t.Fatal(r.err)
	}
	return r.status
}

func TestProtectedCallsCheckTheToken(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		auth    AuthRules
		headers map[string]string
		status  int
	}{
		{"right", AuthRules{}, nil, 200},
		{"no tenancy header", AuthRules{}, map[string]string{"TenancyName": ""}, 200},
		{"tenancy header required", AuthRules{TenancyHeader: "always"}, map[string]string{"TenancyName": ""}, 401},
		{"other tenancy header", AuthRules{}, map[string]string{"TenancyName": OtherTenancy}, 401},
		{"no token", AuthRules{}, map[string]string{"Authorization": ""}, 401},
		{"no token, 403", AuthRules{BearerStatus: 403}, map[string]string{"Authorization": ""}, 403},
		{"garbage", AuthRules{}, map[string]string{"Authorization": "Bearer a.b.c"}, 401},
		{"no API key", AuthRules{}, map[string]string{"ApiKey": ""}, 401},
		{"no API key, 403", AuthRules{KeyStatus: 403}, map[string]string{"ApiKey": ""}, 403},
		{"API key of another tenant", AuthRules{}, map[string]string{"ApiKey": OtherAPIKey, "TenancyName": ""}, 401},
		{"end-user token", AuthRules{Account: "end_user"}, nil, 403},
		{"permission missing", AuthRules{Permission: "missing"}, nil, 403},
		{"permission missing, 401", AuthRules{Permission: "missing", PermitStatus: 401}, nil, 401},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := signedIn(t, Options{Scenario: Scenario{Auth: tc.auth}})
			for name, value := range tc.headers {
				c.headers[name] = value
			}
			if got := c.ask(); got != tc.status {
				t.Errorf("got status %d, want %d", got, tc.status)
			}
		})
	}
}

func TestMissingPermissionOnlyHidesTheListing(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{Scenario: Scenario{Auth: AuthRules{Permission: "missing"}}})
	person := c.person("u-000001")
	if r := c.image(person.TransactionID, person.FileName(IDFront)); r.status != 200 {
		t.Errorf("image: status %d", r.status)
	}
}

func TestOtherTenantSeesNothing(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	c.headers["ApiKey"], c.headers["TenancyName"] = OtherAPIKey, OtherTenancy
	c.adopt(c.post("/api/credentials/Login", loginBody(OtherTenancy, OtherUsername, OtherPassword)))
	person := c.person("u-000001")
	c.list(person.Phone).want(t, 404, CodeUserNotFound)
	c.image(person.TransactionID, person.FileName(IDFront)).want(t, 404, CodeTransactionNotFound)
	c.get("/api/Transactions/GetTransactionById?id="+person.TransactionID).want(t, 404, CodeTransactionNotFound)
}

func TestTokensExpireByTheClock(t *testing.T) {
	t.Parallel()
	clock := newClock()
	c := signedIn(t, Options{Now: clock.Now, Scenario: unlimited(func(sc *Scenario) {
		sc.Auth = AuthRules{TokenLifetime: time.Minute, RefreshLifetime: time.Hour}
	})})
	clock.advance(time.Minute - 1)
	if got := c.ask(); got != 200 {
		t.Fatalf("just before the end: status %d", got)
	}
	clock.advance(1)
	if got := c.ask(); got != 401 {
		t.Fatalf("at the end: status %d", got)
	}
	held := c.refresh
	c.adopt(c.post("/api/credentials/RefreshToken", map[string]string{"refreshToken": held}))
	if got := c.ask(); got != 200 {
		t.Fatalf("after a refresh: status %d", got)
	}
	clock.advance(time.Hour)
	if r := c.post("/api/credentials/RefreshToken", map[string]string{"refreshToken": held}); r.status != 401 {
		t.Fatalf("expired refresh token: status %d", r.status)
	}
}

func TestRefreshModes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name            string
		auth            AuthRules
		status, again   int
		oldKept, newSet bool
	}{
		{"works", AuthRules{}, 200, 200, true, true},
		{"rotating", AuthRules{Refresh: "rotating"}, 200, 401, true, true},
		{"refused", AuthRules{Refresh: "refused"}, 401, 401, false, false},
		{"refused with 403", AuthRules{Refresh: "refused", LoginStatus: 403}, 403, 403, false, false},
		{"new only", AuthRules{RefreshFields: "new"}, 200, 200, false, true},
		{"old only", AuthRules{RefreshFields: "old"}, 200, 200, true, false},
		{"neither", AuthRules{RefreshFields: "none"}, 200, 200, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := signedIn(t, Options{Scenario: Scenario{Auth: tc.auth}})
			body := map[string]string{"refreshToken": c.refresh}
			r := c.post("/api/credentials/RefreshToken", body)
			if r.status != tc.status {
				t.Fatalf("got status %d, want %d", r.status, tc.status)
			}
			if r.status == 200 {
				data := r.data(t)
				if (data["refreshToken"] != nil) != tc.oldKept || (data["newRefreshToken"] != nil) != tc.newSet {
					t.Errorf("refreshToken %v, newRefreshToken %v", data["refreshToken"] != nil, data["newRefreshToken"] != nil)
				}
				c.headers["Authorization"] = "Bearer " + data["accessToken"].(string)
				if got := c.ask(); got != 200 {
					t.Errorf("the new token: status %d", got)
				}
			}
			if r := c.post("/api/credentials/RefreshToken", body); r.status != tc.again {
				t.Errorf("the same refresh token again: status %d, want %d", r.status, tc.again)
			}
			if r := c.login(); r.status != 200 {
				t.Errorf("login: status %d", r.status)
			}
		})
	}
}

func TestAccessTokenIsNoRefreshToken(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{})
	access := strings.TrimPrefix(c.headers["Authorization"], "Bearer ")
	if r := c.post("/api/credentials/RefreshToken", map[string]string{"refreshToken": access}); r.status != 401 {
		t.Errorf("access token as refresh token: status %d", r.status)
	}
	c.headers["Authorization"] = "Bearer " + c.refresh
	if got := c.ask(); got != 401 {
		t.Errorf("refresh token as access token: status %d", got)
	}
}

func TestCredentialsFailInTheMiddleOfARun(t *testing.T) {
	t.Parallel()
	c := signedIn(t, Options{Scenario: unlimited(func(sc *Scenario) {
		sc.Auth = AuthRules{RevokeAt: []int{3}, DenyFrom: 6}
	})})
	// Requests 2 to 7; the fourth is a login.
	for i, want := range []int{200, 401, 200, 200, 403, 403} {
		if i == 2 {
			if r := c.login(); r.status != want {
				t.Fatalf("login: status %d", r.status)
			}
			continue
		}
		if got := c.ask(); got != want {
			t.Errorf("request %d: status %d, want %d", i+2, got, want)
		}
	}
}
