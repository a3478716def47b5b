package vlenstest

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestQuotaIsStrictAtItsEdges(t *testing.T) {
	t.Parallel()
	start := newClock().now
	for _, tc := range []struct {
		name    string
		rules   QuotaRules
		offsets []time.Duration // of arrivals
		denied  []int           // which of them, from 0
		peaks   [2]int
		wait    time.Duration // of the last one
	}{
		{
			name:    "the eleventh within a second",
			offsets: append(repeated(0, 10), 999*time.Millisecond),
			denied:  []int{10}, peaks: [2]int{11, 11}, wait: time.Millisecond + 1,
		},
		{
			name:    "exactly one second later is still the same second",
			offsets: append(repeated(0, 10), time.Second),
			denied:  []int{10}, peaks: [2]int{11, 11}, wait: 1,
		},
		{
			name:    "one nanosecond more is another",
			offsets: append(repeated(0, 10), time.Second+1),
			peaks:   [2]int{10, 11},
		},
		{
			name:    "a denied request takes no room",
			offsets: append(repeated(0, 10), time.Second, time.Second+1),
			denied:  []int{10}, peaks: [2]int{11, 12},
		},
		{
			name:    "unless it counts",
			rules:   QuotaRules{PerSecond: 1, CountDenied: true},
			offsets: []time.Duration{0, time.Second, time.Second + 1, 3 * time.Second},
			denied:  []int{1, 2}, peaks: [2]int{2, 4},
		},
		{
			name:    "the minute is full before the second",
			rules:   QuotaRules{PerMinute: 2},
			offsets: []time.Duration{0, 2 * time.Second, 4 * time.Second, time.Minute, time.Minute + 1},
			denied:  []int{2, 3}, peaks: [2]int{2, 4},
		},
		{
			name:    "the wait is the longer one",
			rules:   QuotaRules{PerSecond: 1, PerMinute: 1},
			offsets: []time.Duration{0, 0},
			denied:  []int{1}, peaks: [2]int{2, 2}, wait: time.Minute + 1,
		},
		{
			name:    "the other preset",
			rules:   QuotaRules{Preset: "ocr"},
			offsets: repeated(0, 16),
			denied:  []int{15}, peaks: [2]int{16, 16}, wait: time.Second + 1,
		},
		{
			name:    "no limit",
			rules:   QuotaRules{Preset: "none"},
			offsets: repeated(0, 500),
			peaks:   [2]int{500, 500},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			limiter := newLimiter()
			var denied []int
			var wait time.Duration
			for i, offset := range tc.offsets {
				var allowed bool
				if wait, allowed = limiter.arrive(start.Add(offset), tc.rules); !allowed {
					denied = append(denied, i)
				}
			}
			seen := limiter.seen()
			if len(denied) != len(tc.denied) || max(seen[0].Violations, seen[1].Violations) != len(tc.denied) {
				t.Errorf("denied %v (violations %d, %d), want %v", denied, seen[0].Violations, seen[1].Violations, tc.denied)
			}
			for i := range min(len(denied), len(tc.denied)) {
				if denied[i] != tc.denied[i] {
					t.Errorf("denied %v, want %v", denied, tc.denied)
				}
			}
			if peaks := [2]int{seen[0].Peak, seen[1].Peak}; peaks != tc.peaks {
				t.Errorf("peaks %v, want %v", peaks, tc.peaks)
			}
			if wait != tc.wait {
				t.Errorf("wait %v, want %v", wait, tc.wait)
			}
		})
	}
}

func repeated(d time.Duration, n int) []time.Duration {
	list := make([]time.Duration, n)
	for i := range list {
		list[i] = d
	}
	return list
}

func TestThrottleReplies(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		reply      string
		status     int
		code       int
		retryAfter string
		empty      bool
	}{
		{"", 429, CodeThrottled, "", false},
		{"429", 429, CodeThrottled, "", false},
		{"429_seconds", 429, CodeThrottled, "seconds", false},
		{"429_date", 429, CodeThrottled, "date", false},
		{"503", 503, 0, "", true},
		{"4003", 200, CodeThrottled, "", false},
	} {
		t.Run(word(tc.reply, "default"), func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			c := start(t, Options{Now: clock.Now, Scenario: Scenario{Quota: QuotaRules{PerMinute: 2, Reply: tc.reply}}})
			c.login()
			if got := c.ask(); got != 200 {
				t.Fatalf("second request: status %d", got)
			}
			clock.advance(1500 * time.Millisecond)
			r := c.list(c.person("u-000001").Phone)
			if r.status != tc.status || tc.empty != (len(r.body) == 0) {
				t.Fatalf("status %d with %d bytes", r.status, len(r.body))
			}
			if !tc.empty {
				r.want(t, tc.status, tc.code)
			}
			said := r.header.Get("Retry-After")
			switch tc.retryAfter {
			case "":
				if said != "" {
					t.Errorf("Retry-After: %s", said)
				}
				return
			case "seconds":
				seconds, err := strconv.Atoi(said)
				if err != nil || seconds != 59 {
					t.Fatalf("Retry-After: %s", said)
				}
				clock.advance(time.Duration(seconds) * time.Second)
			case "date":
				at, err := http.ParseTime(said)
				if err != nil {
					t.Fatal(err)
				}
				clock.now = at
			}
			if got := c.ask(); got != 200 {
				t.Errorf("after waiting as told: status %d", got)
			}
		})
	}
}

func TestRetryAfterCanBeSet(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Scenario: Scenario{Quota: QuotaRules{PerMinute: 1, Reply: "429_seconds", RetryAfter: 7 * time.Second}}})
	c.login()
	if said := c.list("x").header.Get("Retry-After"); said != "7" {
		t.Errorf("Retry-After: %s", said)
	}
}

func TestQuotaCountsEverythingOfOneTenant(t *testing.T) {
	t.Parallel()
	clock := newClock()
	c := start(t, Options{Now: clock.Now, Scenario: Scenario{Quota: QuotaRules{PerMinute: 5}}})
	c.login()
	c.post("/api/credentials/RefreshToken", map[string]string{"refreshToken": "wrong"})
	c.get("/api/nothing/here")
	c.headers["ApiKey"] = "wrong"
	c.login()
	c.headers["ApiKey"] = DefaultAPIKey
	if got := c.ask(); got != 200 {
		t.Fatalf("the fifth request: status %d", got)
	}
	if got := c.ask(); got != 429 {
		t.Fatalf("the sixth request: status %d", got)
	}
	c.get("/_sim/counters")
	c.headers["ApiKey"], c.headers["TenancyName"] = OtherAPIKey, OtherTenancy
	if r := c.post("/api/credentials/Login", loginBody(OtherTenancy, OtherUsername, OtherPassword)); r.status != 200 {
		t.Errorf("the other tenant: status %d", r.status)
	}
	windows := c.server.Windows()
	if windows[1] != (Window{Length: time.Minute, Limit: 5, Peak: 6, Violations: 1}) {
		t.Errorf("minute: %+v", windows[1])
	}
}
