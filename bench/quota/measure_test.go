package main

import (
	"net/http"
	"testing"
	"time"

	"vlens-archiver/vlens/vlenstest"
)

// evenly are arrivals at a distance from each other.
func evenly(n int, gap time.Duration) []vlenstest.Entry {
	log := make([]vlenstest.Entry, n)
	for i := range log {
		log[i] = vlenstest.Entry{Time: time.Unix(1_800_000_000, 0).Add(time.Duration(i) * gap), Status: http.StatusOK}
	}
	return log
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	full := measure(evenly(600, 200*time.Millisecond), 2*time.Minute)
	if full.requests != 600 || full.peakSecond != 6 || full.peakMinute != 301 || full.fullest != 300 || full.emptiest != 300 || full.mean != 300 {
		t.Errorf("a request every 200 ms: %+v", full)
	}
	if err := full.broken(); err != nil {
		t.Errorf("a full window breaks a promise: %v", err)
	}

	slow := measure(evenly(240, 500*time.Millisecond), 2*time.Minute)
	if slow.mean != 120 || slow.broken() == nil {
		t.Errorf("a request every 500 ms: %+v, %v", slow, slow.broken())
	}

	refused := evenly(600, 200*time.Millisecond)
	refused[7].Status = http.StatusTooManyRequests
	if r := measure(refused, 2*time.Minute); r.throttled != 1 || r.broken() == nil {
		t.Errorf("a throttled request: %+v", r)
	}
	if r := measure(nil, 2*time.Minute); r.requests != 0 || r.broken() == nil {
		t.Errorf("no request: %+v", r)
	}
}
