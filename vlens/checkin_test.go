package vlens_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"vlens-archiver/vlens"
)

// TestCheckInIsOneRequest has check-ins answered in every way. Nothing is repeated;
// what is answered renews the token, or says that the credentials are refused.
func TestCheckInIsOneRequest(t *testing.T) {
	t.Parallel()
	good := says(200, tokens("second", "r", 600))
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   vlens.Fault // empty: none
	}{
		"a token":        {good, ""},
		"refused":        {says(401, ""), vlens.FaultUnauthorized},
		"broken gateway": {says(502, "<html>"), vlens.FaultVendorError},
		"cut":            {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, vlens.FaultNetwork},
		"silence":        {delayed(time.Hour, good), vlens.FaultTimeout},
		"throttled":      {says(429, ""), vlens.FaultThrottled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				q := &quota{}
				v.Login = inTurn(v.Login, test.answer)
				c := v.client(t, func(c *vlens.Config) { c.Quota = q })
				wantAll(t, together(1, lister(t, c)), nil)
				err := c.CheckIn(t.Context())
				if fault, _ := errors.AsType[*vlens.Error](err); (err == nil) != (test.want == "") || fault != nil && fault.Fault != test.want {
					t.Errorf("error %v, want fault %q", err, test.want)
				}
				v.wantRequests(t, 2, 0, 1, 0)
				if throttled := test.want == vlens.FaultThrottled; (len(q.coolDowns) == 1) != throttled {
					t.Errorf("cool-downs of the shared quota: %v", q.coolDowns)
				}
				if q.held.Load() != 0 || q.acquired.Load() != 3 {
					t.Errorf("%d slots taken, %d held", q.acquired.Load(), q.held.Load())
				}
			})
		})
	}
}
