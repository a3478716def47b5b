package main

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"vlens-archiver/vlens/vlenstest"
)

// leastShare is the part of the minute window that must be used in the steady
// state, in percent.
const leastShare = 95

// result is what the tenant saw.
type result struct {
	requests   int
	throttled  int // replies 429, and 503, which this tenant gives for nothing else
	violations int // arrivals that found a window full
	peakSecond int // most arrivals in any second, and in any minute; both ends included
	peakMinute int
	// fullest and emptiest are the requests in the minutes that end after the
	// first one, at each whole second; mean is over all of these.
	fullest, emptiest int
	mean              float64
}

// measure works on the requests that arrived in the given time from the first.
func measure(log []vlenstest.Entry, length time.Duration) result {
	var r result
	if len(log) == 0 {
		return r
	}
	began := log[0].Time
	for _, entry := range log {
		if entry.Status == http.StatusTooManyRequests || entry.Status == http.StatusServiceUnavailable {
			r.throttled++
		}
	}
	r.requests = within(log, began, began.Add(length))
	r.peakSecond, r.peakMinute = peak(log, time.Second), peak(log, time.Minute)

	r.emptiest = r.requests
	sum, minutes := 0, 0
	for end := began.Add(time.Minute); !end.After(began.Add(length)); end = end.Add(time.Second) {
		used := within(log, end.Add(-time.Minute), end)
		r.fullest, r.emptiest = max(r.fullest, used), min(r.emptiest, used)
		sum += used
		minutes++
	}
	if minutes > 0 {
		r.mean = float64(sum) / float64(minutes)
	}
	return r
}

// within is the number of arrivals from one moment to just before another.
func within(log []vlenstest.Entry, from, to time.Time) int {
	n := 0
	for _, entry := range log {
		if !entry.Time.Before(from) && entry.Time.Before(to) {
			n++
		}
	}
	return n
}

// peak is the largest number of arrivals in any stretch of the length.
func peak(log []vlenstest.Entry, length time.Duration) int {
	most, first := 0, 0
	for i, entry := range log {
		for entry.Time.Sub(log[first].Time) > length {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func violations(windows [2]vlenstest.Window) int {
	return windows[0].Violations + windows[1].Violations
}

// share is a number of requests as percent of the minute's limit.
func share(requests float64) float64 { return 100 * requests / perMinute }

// broken says which promise of the quota did not hold.
func (r result) broken() error {
	var broken []error
	if r.violations > 0 || r.throttled > 0 {
		broken = append(broken, fmt.Errorf("%d requests found a window full and %d were throttled; none may", r.violations, r.throttled))
	}
	if share(r.mean) < leastShare {
		broken = append(broken, fmt.Errorf("%.1f %% of the minute window was used; at least %d %% must be", share(r.mean), leastShare))
	}
	return errors.Join(broken...)
}
