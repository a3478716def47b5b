package vlens_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"vlens-archiver/vlens"
)

// TestThrottlingOfOneItem has one user who is always answered as if the quota
// were used up. Whether it is shows in what others hear meanwhile.
func TestThrottlingOfOneItem(t *testing.T) {
	t.Parallel()
	const cursed = "+201000000001"
	trials := says(200, `{"data":null,"error_code":4003}`)
	answered := says(200, listing(`"idFrontImage":"a.jpg"`))
	for name, test := range map[string]struct {
		cursed, others http.HandlerFunc
		without        bool          // a quota
		from, until    time.Duration // when others ask
		replies        int
	}{
		"others are answered":            {cursed: trials, others: answered, until: time.Hour, replies: 4},
		"others are answered, 503":       {cursed: says(503, ""), others: answered, until: time.Hour, replies: 4},
		"others are answered, no quota":  {cursed: trials, others: answered, without: true, until: time.Hour, replies: 4},
		"others hear no such user":       {cursed: trials, others: says(404, ""), until: time.Hour, replies: 4},
		"others are throttled":           {cursed: trials, others: says(429, ""), until: time.Hour, replies: 8},
		"others meet a broken gateway":   {cursed: trials, others: says(502, "<html>"), until: time.Hour, replies: 8},
		"nobody else asks":               {cursed: trials, others: answered, replies: 8},
		"nobody else, no quota":          {cursed: trials, others: answered, without: true, replies: 8},
		"others ask no more":             {cursed: trials, others: answered, until: 15 * time.Second, replies: 8},
		"others ask later":               {cursed: trials, others: answered, from: 25 * time.Second, until: time.Hour, replies: 6},
		"others were answered only once": {cursed: trials, others: inTurn(answered, says(429, "")), until: time.Hour, replies: 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				// The cursed user's answers take a moment, so that those of others
				// come before, and not at the same instant.
				refuses := delayed(time.Second, test.cursed)
				v.List = func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Query().Get("emailOrPhoneNumber") == cursed {
						refuses(w, r)
						return
					}
					test.others(w, r)
				}
				c := v.client(t, func(c *vlens.Config) {
					c.Attempts = 1
					if !test.without {
						c.Quota = &quota{}
					}
				})
				if err := c.Login(t.Context()); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				begin, gone := time.Now(), make(chan struct{})
				go func() {
					defer close(gone)
					time.Sleep(test.from)
					for ctx.Err() == nil && time.Since(begin) < test.until {
						_, _ = c.List(ctx, phone)
						time.Sleep(300 * time.Millisecond)
					}
				}()
				_, err := c.List(t.Context(), cursed)
				cancel()
				<-gone
				if fault, ok := err.(*vlens.Error); !ok || fault.Fault != vlens.FaultThrottled { //nolint:errorlint // returned once, not wrapped
					t.Errorf("error %v", err)
				}
				replies := 0
				for _, r := range v.seen(listPath) {
					if r.rawQuery == "emailOrPhoneNumber=%2B201000000001" {
						replies++
					}
				}
				if replies != test.replies {
					t.Errorf("%d throttle replies, want %d", replies, test.replies)
				}
			})
		})
	}
}
