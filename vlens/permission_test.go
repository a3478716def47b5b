package vlens_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"vlens-archiver/vlens"
)

// Whatever the answer, asking for nobody is one request after the login: no
// second try, no refresh, no second login.
func TestAskingForNobodyIsOneRequest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   vlens.Fault
	}{
		"no such user":  {says(404, `{"data":null,"error_code":7}`), vlens.FaultNotFound},
		"forbidden":     {says(403, forbidden), vlens.FaultForbidden},
		"firewall":      {says(403, ""), vlens.FaultVendorError},
		"token refused": {says(401, ""), vlens.FaultUnauthorized},
		"unknown code":  {says(200, `{"data":null,"error_code":9001}`), vlens.FaultVendorError},
		"failing":       {says(500, ""), vlens.FaultVendorError},
		"throttled":     {says(429, ""), vlens.FaultThrottled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				q := &quota{}
				v.List = test.answer
				c := v.client(t, func(c *vlens.Config) { c.Quota = q })
				var seen []vlens.RequestInfo
				ctx := vlens.WithTrace(t.Context(), func(i vlens.RequestInfo) { seen = append(seen, i) })
				_, err := c.AskForNobody(ctx)
				if fault, ok := errors.AsType[*vlens.Error](err); !ok || fault.Fault != test.want {
					t.Errorf("error %v, want fault %s", err, test.want)
				}
				v.wantRequests(t, 1, 0, 1, 0)
				if throttled := test.want == vlens.FaultThrottled; (len(q.coolDowns) == 1) != throttled {
					t.Errorf("cool-downs of the shared quota: %v", q.coolDowns)
				}
				if len(seen) != 2 || seen[1].ServerTime.IsZero() || time.Since(seen[1].ServerTime) > time.Minute {
					t.Errorf("seen %+v", seen)
				}
				for _, r := range v.seen(listPath) {
					if !strings.HasSuffix(r.rawQuery, ".invalid") {
						t.Errorf("asked for %q, which may be somebody", r.rawQuery)
					}
				}
			})
		})
	}
}
