package vlens_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/vlens"
)

// paced is a quota of one request per length of time, first come first served.
type paced struct {
	every time.Duration
	mu    sync.Mutex
	next  time.Time
}

func (q *paced) Acquire(ctx context.Context) (func(), error) {
	q.mu.Lock()
	turn := time.Now()
	if turn.Before(q.next) {
		turn = q.next
	}
	q.next = turn.Add(q.every)
	q.mu.Unlock()
	select {
	case <-time.After(time.Until(turn)):
		return func() {}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (q *paced) CoolDown(context.Context, time.Duration) error { return nil }

func tenSeconds(c *vlens.Config) { c.Quota = &paced{every: 10 * time.Second} }

// The queue is six times as long as a token lives, and every slot is of use:
// two listings a token, then one refresh, and no request with a dead token.
func TestTokensThatExpireInTheQueue(t *testing.T) {
	t.Parallel()
	for scenario, requests := range map[string]string{
		"auth: {token_lifetime: 25s}":                         "list 200 ×16, login 200, refresh 200 ×7",
		"auth: {token_lifetime: 25s, refresh: rotating}":      "list 200 ×16, login 200, refresh 200 ×7",
		"auth: {token_lifetime: 25s, refresh_lifetime: 100s}": "list 200 ×16, login 200, refresh 200 ×7",
		"auth: {token_lifetime: 35s, refresh: refused}":       "list 200 ×16, login 200 ×6, refresh 401 ×5",
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server, client := simulated{name: "queue", scenario: scenario, config: tenSeconds}.start(t)
				person, _ := server.Person("u-000001")
				wantAll(t, together(16, func() error { _, err := client.List(t.Context(), person.Phone); return err }), nil)
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := countersText(server); got != requests {
					t.Errorf("requests: %s\nwant:     %s", got, requests)
				}
			})
		})
	}
}

// Those who wait in the queue while a token is found revoked do not try it, too.
func TestOneFindsOutForTheQueue(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		c := v.client(t, tenSeconds)
		wantAll(t, together(1, lister(t, c)), nil)
		v.List = withToken("access-2", v.List, says(401, ""))
		wantAll(t, together(8, lister(t, c)), nil)
		v.wantRequests(t, 1, 1, 1+1+8, 0)
	})
}

// Tokens that live shorter than a slot of the quota takes are of no use, and
// that ends.
func TestTokensShorterThanASlot(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		dead := says(401, "")
		v.Login, v.Refresh, v.List = says(200, tokens("a", "r", 5)), says(200, tokens("b", "r", 5)), dead
		_, err := v.client(t, tenSeconds).List(t.Context(), phone)
		wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultUnauthorized, Status: 401, Permanent: true})
		v.wantRequests(t, 2, 8, 2, 0)
	})
}

// A token that was good when it was sent, and too old when the answer came, is
// no reason to doubt the next one.
func TestTokensThatExpireOnTheWay(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		late  int // answers
		lists int
		ok    bool
	}{
		"a few times": {3, 4, true},
		"for ever":    {100, 6, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.Login, v.Refresh = says(200, tokens("a", "r", 30)), says(200, tokens("b", "r", 30))
				v.List = inTurn(append(repeat(test.late, delayed(40*time.Second, says(401, ""))), v.List)...)
				_, err := v.client(t, nil).List(t.Context(), phone)
				if (err == nil) != test.ok {
					t.Errorf("error %v", err)
				}
				if lists := len(v.seen(listPath)); lists != test.lists {
					t.Errorf("%d listings, want %d", lists, test.lists)
				}
			})
		})
	}
}

// A refresh whose token is refused has failed, and then a login is due.
func TestRefusedTokenOfARefreshLogsIn(t *testing.T) {
	t.Parallel()
	for name, askers := range map[string]int{"alone": 1, "ten together": 10} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				good := v.List
				c := v.client(t, nil)
				wantAll(t, together(1, lister(t, c)), nil)
				v.Login = says(200, tokens("access-3", "refresh-3", 86400))
				v.List = delayed(time.Second, withToken("access-3", good, says(401, "")))
				wantAll(t, together(askers, lister(t, c)), nil)
				v.wantRequests(t, 2, 1, 1+3*askers, 0)
			})
		})
	}
	t.Run("once", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T, v *vendor) {
			c := v.client(t, nil)
			wantAll(t, together(1, lister(t, c)), nil)
			v.List = says(401, "")
			_, err := c.List(t.Context(), phone)
			wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultUnauthorized, Status: 401, Permanent: true})
			v.wantRequests(t, 2, 1, 1+3, 0)
		})
	})
	t.Run("not while others are answered", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T, v *vendor) {
			good, refuses := v.Image, delayed(time.Second, says(401, ""))
			v.Image = func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("FileName") == "cursed.jpg" {
					refuses(w, r)
					return
				}
				good(w, r)
			}
			c := v.client(t, nil)
			get := func(name string) error {
				i, err := c.Image(t.Context(), vlens.ImageRequest{TransactionID: transaction, FileName: name})
				if err == nil {
					i.Release()
				}
				return err
			}
			cursed := make(chan error, 1)
			go func() { cursed <- get("cursed.jpg") }()
			for range 30 {
				time.Sleep(100 * time.Millisecond)
				if err := get(fileName); err != nil {
					t.Error(err)
				}
			}
			wantFault(t, <-cursed, vlens.Error{Endpoint: vlens.EndpointImage, Fault: vlens.FaultUnauthorized, Status: 401, Permanent: true})
			v.wantRequests(t, 1, 1, 0, 30+2)
		})
	})
}
