package vlens_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/vlens"
)

// together runs n goroutines and returns their errors.
func together(n int, do func() error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do() })
	}
	wg.Wait()
	return errs
}

func lister(t *testing.T, c *vlens.Client) func() error {
	return func() error { _, err := c.List(t.Context(), phone); return err }
}

func wantAll(t *testing.T, errs []error, want error) {
	t.Helper()
	for _, err := range errs {
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}

func TestOneLoginForAll(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.Login = delayed(time.Second, v.Login)
		wantAll(t, together(50, lister(t, v.client(t, nil))), nil)
		v.wantRequests(t, 1, 0, 50, 0)
	})
}

func TestExpiredTokenIsRefreshedOnceForAll(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		good := v.List
		c := v.client(t, nil)
		wantAll(t, together(1, lister(t, c)), nil)
		// The token dies early. Some hear of it only after others have a new one.
		v.List = withToken("access-2", good, delayed(time.Second, says(401, "")))
		v.Refresh = delayed(time.Second, v.Refresh)
		wantAll(t, together(20, lister(t, c)), nil)
		v.wantRequests(t, 1, 1, 1+20+20, 0)
	})
}

func TestRefreshTokenToKeep(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ members, next string }{
		"the new one":        {`,"refreshToken":"old-style","newRefreshToken":"new"`, "new"},
		"the only one":       {`,"refreshToken":"old-style","newRefreshToken":""`, "old-style"},
		"null is not one":    {`,"refreshToken":"old-style","newRefreshToken":null`, "old-style"},
		"the one from login": {``, "refresh-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.Refresh = says(200, `{"data":{"accessToken":"a","expireInSeconds":600`+test.members+`}}`)
				c := v.client(t, nil)
				for range 3 {
					wantAll(t, together(1, lister(t, c)), nil)
					time.Sleep(24 * time.Hour)
				}
				refreshes := v.seen(refreshPath)
				if len(refreshes) != 2 {
					t.Fatalf("%d refreshes", len(refreshes))
				}
				for n, want := range []string{"refresh-1", test.next} {
					if refreshes[n].body != `{"refreshToken":"`+want+`"}` {
						t.Errorf("refresh %d sent %s, want %s", n, refreshes[n].body, want)
					}
				}
			})
		})
	}
}

func TestRenewalAheadOfExpiry(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		expires string
		valid   time.Duration // without a renewal
	}{
		"a day: a minute ahead":      {`86400`, 24*time.Hour - time.Minute},
		"100 s: a tenth ahead":       {`100`, 90 * time.Second},
		"digits in a text":           {`"100"`, 90 * time.Second},
		"zero: an hour is assumed":   {`0`, time.Hour - time.Minute},
		"null: an hour is assumed":   {`null`, time.Hour - time.Minute},
		"absurd: a year at the most": {`2000000000`, 365*24*time.Hour - time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.Login = says(200, `{"data":{"accessToken":"a","refreshToken":"r","expireInSeconds":`+test.expires+`}}`)
				c := v.client(t, nil)
				for _, wait := range []time.Duration{0, test.valid - time.Second, 2 * time.Second} {
					time.Sleep(wait)
					wantAll(t, together(1, lister(t, c)), nil)
				}
				v.wantRequests(t, 1, 1, 3, 0)
				if at := v.seen(refreshPath)[0].at.Sub(v.seen(loginPath)[0].at); at < test.valid {
					t.Errorf("refreshed after %s, valid for %s", at, test.valid)
				}
			})
		})
	}
}

// A backfill is longer than the week a refresh token lives.
func TestRefusedRefreshLogsIn(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]http.HandlerFunc{
		"401": says(401, ""), "200 with a code": says(200, `{"error_code":5000}`), "500": says(500, ""), "no token": says(200, `{"data":{}}`),
		"cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.Refresh = refusal
				c := v.client(t, nil)
				wantAll(t, together(1, lister(t, c)), nil)
				time.Sleep(30 * 24 * time.Hour)
				wantAll(t, together(10, lister(t, c)), nil)
				v.wantRequests(t, 2, 1, 11, 0)
			})
		})
	}
}

func TestRefusedLoginIsAskedOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		good := v.Login
		v.Login = delayed(time.Second, says(401, `{"error_code":401}`))
		c := v.client(t, nil)
		for _, err := range append(together(20, lister(t, c)), together(20, lister(t, c))...) {
			wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointLogin, Fault: vlens.FaultUnauthorized, Status: 401, Code: 401, Permanent: true})
		}
		v.wantRequests(t, 1, 0, 0, 0)

		// Asking for a login is asking again.
		v.Login = good
		if err := c.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantAll(t, together(1, lister(t, c)), nil)
		v.wantRequests(t, 2, 0, 1, 0)
	})
}

// Credentials that are revoked mid-run are found out once, too.
func TestRevokedCredentialsAreFoundOutOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		c := v.client(t, nil)
		wantAll(t, together(1, lister(t, c)), nil)
		// The answer takes a moment, so that all five are under way before the
		// first of them hears it.
		v.List, v.Refresh, v.Login = delayed(time.Second, says(401, "")), says(401, ""), says(401, "")
		for _, err := range append(together(5, lister(t, c)), together(5, lister(t, c))...) {
			wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointLogin, Fault: vlens.FaultUnauthorized, Status: 401, Permanent: true})
		}
		v.wantRequests(t, 2, 1, 1+5, 0)
	})
}

func TestFailedLoginIsSharedByThoseWhoWaited(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		good := v.Login
		v.Login = delayed(time.Second, says(502, "<html>"))
		c := v.client(t, once)
		for _, err := range together(20, lister(t, c)) {
			wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointLogin, Fault: vlens.FaultVendorError, Status: 502, Foreign: true})
		}
		v.wantRequests(t, 1, 0, 0, 0)
		v.Login = good
		wantAll(t, together(20, lister(t, c)), nil)
		v.wantRequests(t, 2, 0, 20, 0)
	})
}

// The one who logs in for all gives up; the others must not.
func TestCancelledLoginIsTakenOver(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.Login = delayed(time.Second, v.Login)
		c := v.client(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error, 1)
		go func() { _, err := c.List(ctx, phone); first <- err }()
		synctest.Wait()
		others := make(chan []error, 1)
		go func() { others <- together(10, lister(t, c)) }()
		synctest.Wait()
		cancel()
		if err := <-first; err != context.Canceled { //nolint:errorlint // as it is
			t.Errorf("error %v", err)
		}
		wantAll(t, <-others, nil)
		v.wantRequests(t, 2, 0, 10, 0)
	})
}

func TestWaitingForALoginCanBeCancelled(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.Login = delayed(30*time.Second, v.Login)
		c := v.client(t, nil)
		first := make(chan []error, 1)
		go func() { first <- together(1, lister(t, c)) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.List(ctx, phone); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		wantAll(t, <-first, nil)
	})
}

func TestUnauthorizedWithAFreshTokenIsFinal(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.List = says(401, "")
		_, err := v.client(t, nil).List(t.Context(), phone)
		wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultUnauthorized, Status: 401, Permanent: true})
		v.wantRequests(t, 1, 1, 2, 0)
	})
}

const forbidden = `{"data":null,"error_code":403}`

// A check of the token in front of the vendor's application may answer without the
// envelope.
func TestForbiddenWithoutEnvelopeIsDoubtedOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.Login = inTurn(says(200, tokens("stale", "r", 600)), says(200, tokens("fresh", "r", 600)))
		v.List = withToken("fresh", v.List, says(403, ""))
		wantAll(t, together(10, lister(t, v.client(t, nil))), nil)
		if logins := len(v.seen(loginPath)); logins != 2 {
			t.Errorf("%d logins", logins)
		}
	})
}

// One page of the vendor says that 403 means a bad token.
func TestForbiddenIsDoubtedOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.Login = inTurn(says(200, tokens("stale", "r", 600)), says(200, tokens("fresh", "r", 600)))
		v.List = withToken("fresh", v.List, says(403, forbidden))
		wantAll(t, together(10, lister(t, v.client(t, nil))), nil)
		if logins := len(v.seen(loginPath)); logins != 2 || len(v.seen(refreshPath)) != 0 {
			t.Errorf("%d logins, %d refreshes", logins, len(v.seen(refreshPath)))
		}
	})
}

func TestMissingPermissionCostsOneLogin(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.List = delayed(time.Second, says(403, forbidden))
		c := v.client(t, nil)
		for _, err := range append(together(10, lister(t, c)), together(10, lister(t, c))...) {
			wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultForbidden, Status: 403, Code: 403, Permanent: true})
		}
		v.wantRequests(t, 2, 0, 20+10, 0)
	})
}

func TestForbiddenImagesCostOneLogin(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.Image = says(403, forbidden)
		c := v.client(t, nil)
		for range 5 {
			wantAll(t, together(1, lister(t, c)), nil) // listing works, and does not invite more logins
			for _, err := range together(4, func() error { _, err := c.Image(t.Context(), wanted); return err }) {
				wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointImage, Fault: vlens.FaultForbidden, Status: 403, Code: 403, Permanent: true})
			}
		}
		if logins := len(v.seen(loginPath)); logins != 2 {
			t.Errorf("%d logins", logins)
		}
	})
}

// A tenant that says 403 where others say 401 revokes tokens more than once.
func TestRevokedTokensWhere403MeansExpired(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		good := v.List
		v.Login = inTurn(says(200, tokens("t1", "r", 600)), says(200, tokens("t2", "r", 600)), says(200, tokens("t3", "r", 600)))
		c := v.client(t, nil)
		for _, alive := range []string{"t1", "t2", "t3"} {
			v.List = withToken(alive, good, says(403, forbidden))
			wantAll(t, together(4, lister(t, c)), nil)
		}
	})
}

func TestPathOfTheBaseURLIsKept(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		c := v.client(t, func(c *vlens.Config) { c.BaseURL = "http://localhost/gateway/" })
		if err := c.Login(t.Context()); err == nil {
			t.Error("the path of the base URL is lost")
		}
		if path := v.seen("")[0].path; path != "/gateway"+loginPath || strings.Contains(path, "//") {
			t.Errorf("path %q", path)
		}
	})
}

// delayed answers after a while, unless the client leaves.
func delayed(wait time.Duration, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(wait):
			h(w, r)
		case <-r.Context().Done():
		}
	}
}
