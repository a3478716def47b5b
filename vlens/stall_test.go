package vlens_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"vlens-archiver/vlens"
)

func TestStall(t *testing.T) {
	t.Parallel()
	drip := func(pause time.Duration, parts int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body := listing(`"idFrontImage":"a.jpg"`)
			for n := range parts {
				_, _ = io.WriteString(w, body[len(body)*n/parts:len(body)*(n+1)/parts])
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(pause):
				case <-r.Context().Done():
					return
				}
			}
		}
	}
	t.Run("slow is not stalled", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T, v *vendor) {
			v.List = drip(50*time.Second, 20)
			start := time.Now()
			wantAll(t, together(1, lister(t, v.client(t, once))), nil)
			if took := time.Since(start); took < 10*time.Minute {
				t.Errorf("took %s: not slow at all", took)
			}
		})
	})
	t.Run("silence in the body", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T, v *vendor) {
			v.List = drip(time.Hour, 2)
			start := time.Now()
			_, err := v.client(t, once).List(t.Context(), phone)
			wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultTimeout, Status: 200})
			if took := time.Since(start); took != time.Minute {
				t.Errorf("took %s", took)
			}
		})
	})
}

// Not every transport passes on why its context has ended.
func TestStallOfAnotherTransport(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		c := v.client(t, func(c *vlens.Config) {
			once(c)
			c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
		})
		wantFault(t, c.Login(t.Context()), vlens.Error{Endpoint: vlens.EndpointLogin, Fault: vlens.FaultTimeout})
	})
}
