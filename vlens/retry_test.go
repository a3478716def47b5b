package vlens_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/vlens"
)

func TestHowOftenAFaultIsTried(t *testing.T) {
	t.Parallel()
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"data":{`)
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		fault  vlens.Fault
		tries  int
	}{
		"500":                       {says(500, `{"error_code":5000}`), vlens.FaultVendorError, 4},
		"502, HTML":                 {says(502, "<html>"), vlens.FaultVendorError, 4},
		"connection cut":            {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, vlens.FaultNetwork, 4},
		"body shorter than it said": {cut, vlens.FaultNetwork, 4},
		"empty":                     {says(200, ""), vlens.FaultBadPayload, 4},
		"no headers":                {delayed(2*time.Minute, says(200, "")), vlens.FaultTimeout, 4},
		"unknown code":              {says(200, `{"error_code":12345}`), vlens.FaultVendorError, 2},
		"400":                       {says(400, `{}`), vlens.FaultVendorError, 2},
		"data null":                 {says(200, `{"data":null}`), vlens.FaultBadPayload, 2},
		"no such route":             {says(404, ""), vlens.FaultVendorError, 2},
		"redirect":                  {says(302, ""), vlens.FaultVendorError, 2},
		"a page":                    {says(200, "<html>"), vlens.FaultBadPayload, 2},
		"definite":                  {says(404, `{"error_code":12}`), vlens.FaultNotFound, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.List = test.answer
				_, err := v.client(t, nil).List(t.Context(), phone)
				if fault, ok := errors.AsType[*vlens.Error](err); !ok || fault.Fault != test.fault {
					t.Errorf("error %v, want %s", err, test.fault)
				}
				v.wantRequests(t, 1, 0, test.tries, 0)
			})
		})
	}
}

func TestBackoffGrowsAndHelps(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.List = inTurn(append(repeat(3, says(500, "")), v.List)...)
		wantAll(t, together(1, lister(t, v.client(t, nil))), nil)
		lists := v.seen(listPath)
		for n, want := range []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second} {
			if pause := lists[n+1].at.Sub(lists[n].at); pause < want/2 || pause > want {
				t.Errorf("pause %d: %s, want %s to %s", n, pause, want/2, want)
			}
		}
	})
}

func TestCancellationIsNoFault(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"in flight":      delayed(time.Hour, says(200, "")),
		"in a backoff":   says(500, ""),
		"in a cool-down": says(429, ""),
		"in the body": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"data"`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.List = answer
				c := v.client(t, func(c *vlens.Config) { c.Attempts = 1000 })
				if err := c.Login(t.Context()); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				if _, err := c.List(ctx, phone); err != context.DeadlineExceeded { //nolint:errorlint // as it is
					t.Errorf("error %v (%T)", err, err)
				}
			})
		})
	}
}

// quota counts what the client does with it.
type quota struct {
	acquired, released atomic.Int64
	held               atomic.Int64
	mu                 sync.Mutex
	coolDowns          []time.Duration
	coolUntil          time.Time
}

func (q *quota) Acquire(ctx context.Context) (func(), error) {
	q.mu.Lock()
	wait := time.Until(q.coolUntil)
	q.mu.Unlock()
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	q.acquired.Add(1)
	q.held.Add(1)
	var once atomic.Bool
	return func() {
		if once.Swap(true) {
			panic("released twice")
		}
		q.released.Add(1)
		q.held.Add(-1)
	}, nil
}

func (q *quota) CoolDown(_ context.Context, retryAfter time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.coolDowns = append(q.coolDowns, retryAfter)
	q.coolUntil = time.Now().Add(max(retryAfter, 10*time.Second))
	return nil
}

func TestEveryRequestTakesAndReturnsAQuotaSlot(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		q := &quota{}
		v.List = inTurn(says(500, ""), says(401, ""), says(429, ""), delayed(time.Hour, says(200, "")),
			func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, v.List)
		held := func(h http.HandlerFunc) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if q.held.Load() != 1 {
					t.Errorf("%s sent with %d slots held", r.URL.Path, q.held.Load())
				}
				h(w, r)
			}
		}
		v.List, v.Login, v.Refresh, v.Image = held(v.List), held(v.Login), held(v.Refresh), held(v.Image)
		c := v.client(t, func(c *vlens.Config) { c.Quota = q })
		wantAll(t, together(1, lister(t, c)), nil)
		i, err := c.Image(t.Context(), wanted)
		if err != nil {
			t.Fatal(err)
		}
		if q.held.Load() != 0 {
			t.Error("a slot is held after the body is over")
		}
		i.Release()
		if sent := int64(len(v.seen(""))); q.acquired.Load() != sent || q.released.Load() != sent {
			t.Errorf("%d requests, %d slots taken, %d returned", sent, q.acquired.Load(), q.released.Load())
		}
	})
}

func TestQuotaErrors(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		q := &brokenQuota{err: errors.New("the ledger is away")}
		c := v.client(t, func(c *vlens.Config) { c.Quota = q })
		wantAll(t, together(1, lister(t, c)), q.err)
		v.wantRequests(t, 0, 0, 0, 0)
	})
}

type brokenQuota struct{ err error }

func (q *brokenQuota) Acquire(context.Context) (func(), error)       { return nil, q.err }
func (q *brokenQuota) CoolDown(context.Context, time.Duration) error { return q.err }

func TestThrottleReplies(t *testing.T) {
	t.Parallel()
	retryAfter := func(status int, value string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if value == "date" {
				// A server whose clock is an hour ahead.
				now := time.Now().Add(time.Hour)
				w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
				w.Header().Set("Retry-After", now.Add(20*time.Second).UTC().Format(http.TimeFormat))
			} else {
				w.Header().Set("Retry-After", value)
			}
			w.WriteHeader(status)
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   time.Duration
	}{
		"429":                       {says(429, ""), 0},
		"429, seconds":              {retryAfter(429, "7"), 7 * time.Second},
		"429, date":                 {retryAfter(429, "date"), 20 * time.Second},
		"429, a day":                {retryAfter(429, "86400"), 15 * time.Minute},
		"429, more than fits":       {retryAfter(429, "99999999999999999999999"), 15 * time.Minute},
		"429, date years ahead":     {retryAfter(429, "Fri, 06 Nov 2054 08:49:37 GMT"), 15 * time.Minute},
		"429, past date":            {retryAfter(429, "Sun, 06 Nov 1994 08:49:37 GMT"), 0},
		"429, nonsense":             {retryAfter(429, "soon"), 0},
		"503, seconds":              {retryAfter(503, "3"), 3 * time.Second},
		"503, HTML":                 {says(503, "<html>"), 0},
		"200 with code 4003":        {says(200, `{"data":null,"error_code":4003}`), 0},
		"200 with code \"4003\"":    {says(200, `{"data":null,"error_code":"4003"}`), 0},
		"400 with code 4003 in ABP": {says(400, `{"success":false,"error":{"code":4003}}`), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				q := &quota{}
				good := v.List
				// Four in a row, more than Attempts, then a success.
				v.List = inTurn(append(repeat(4, test.answer), good)...)
				c := v.client(t, func(c *vlens.Config) { c.Quota, c.Attempts = q, 1 })
				wantAll(t, together(1, lister(t, c)), nil)
				if len(q.coolDowns) != 4 {
					t.Fatalf("%d cool-downs", len(q.coolDowns))
				}
				for _, got := range q.coolDowns {
					if got != test.want {
						t.Errorf("CoolDown(%s), want %s", got, test.want)
					}
				}
			})
		})
	}
}

func TestEndlessThrottlingEnds(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]*quota{"with a quota": {}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.List = says(429, "")
				c := v.client(t, func(c *vlens.Config) {
					if q != nil {
						c.Quota = q
					}
				})
				_, err := c.List(t.Context(), phone)
				wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultThrottled, Status: 429})
				v.wantRequests(t, 1, 0, 5, 0)
				if q != nil && len(q.coolDowns) != 5 {
					t.Errorf("%d cool-downs", len(q.coolDowns))
				}
			})
		})
	}
}

func TestBackingOffWithoutAQuota(t *testing.T) {
	t.Parallel()
	asked := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "100")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	for name, test := range map[string]struct {
		last  http.HandlerFunc
		pause time.Duration
	}{
		"for twice as long each time": {says(429, ""), 40},
		"for as long as is asked for": {asked, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, v *vendor) {
				v.List = inTurn(says(429, ""), says(429, ""), says(429, ""), test.last, v.List)
				wantAll(t, together(1, lister(t, v.client(t, once))), nil)
				lists := v.seen(listPath)
				for n, want := range []time.Duration{5, 10, 20, test.pause} {
					want *= time.Second
					if pause := lists[n+1].at.Sub(lists[n].at); pause < want || pause > want*5/4 {
						t.Errorf("pause %d: %s, want %s and up to a quarter more", n, pause, want)
					}
				}
			})
		})
	}
}

func TestThrottlesInRowStartAnewAfterAnotherAnswer(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		throttled := repeat(4, says(429, ""))
		v.List = inTurn(append(append(append(throttled[:4:4], says(500, "")), throttled...), v.List)...)
		wantAll(t, together(1, lister(t, v.client(t, nil))), nil)
		v.wantRequests(t, 1, 0, 10, 0)
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		v.List = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost"+imagePath, http.StatusTemporaryRedirect)
		}
		_, err := v.client(t, once).List(t.Context(), phone)
		wantFault(t, err, vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultVendorError, Status: 307, Foreign: true})
		v.wantRequests(t, 1, 0, 1, 0)
	})
}

// While one goroutine renews nothing, none waits for another: requests with a
// good token are in flight together.
func TestGoodTokensDoNotQueue(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, v *vendor) {
		c := v.client(t, nil)
		if err := c.Login(t.Context()); err != nil {
			t.Fatal(err)
		}
		var inFlight, most atomic.Int64
		good := v.List
		v.List = func(w http.ResponseWriter, r *http.Request) {
			most.Store(max(most.Load(), inFlight.Add(1)))
			delayed(time.Second, good)(w, r)
			inFlight.Add(-1)
		}
		done := make(chan []error, 1)
		go func() { done <- together(30, lister(t, c)) }()
		synctest.Wait()
		wantAll(t, <-done, nil)
		if most.Load() != 30 {
			t.Errorf("%d in flight together", most.Load())
		}
	})
}
