package vlenstest

import (
	"sync"
	"time"
)

// Window is what one sliding window of the quota has seen.
type Window struct {
	Length     time.Duration // one second or one minute
	Limit      int           // 0 means none
	Peak       int           // most arrivals in any stretch of that length, throttled ones included
	Violations int           // arrivals that found the window full
}

// limiter is the quota of one tenant: two windows over arrival times. It is as
// strict as the vendor could be: a stretch includes both of its ends, so a
// request exactly one second after the tenth is still the eleventh of that
// second.
type limiter struct {
	mu      sync.Mutex
	windows [2]slidingWindow
}

type slidingWindow struct {
	Window
	arrivals times // every request, for the peak
	counted  times // those that take up room
}

func newLimiter() *limiter {
	l := &limiter{}
	l.windows[0].Length = time.Second
	l.windows[1].Length = time.Minute
	return l
}

// arrive notes a request and says whether the quota had room for it; if not,
// after what time it will.
func (l *limiter) arrive(now time.Time, rules QuotaRules) (wait time.Duration, allowed bool) {
	perSecond, perMinute := rules.limits()
	at := now.UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.windows[0].Limit, l.windows[1].Limit = perSecond, perMinute
	for i := range l.windows {
		w := &l.windows[i]
		start := at - int64(w.Length)
		w.arrivals.push(at)
		w.arrivals.dropBefore(start)
		w.counted.dropBefore(start)
		w.Peak = max(w.Peak, w.arrivals.len())
		if w.Limit > 0 && w.counted.len() >= w.Limit {
			w.Violations++
			leaver := w.counted.at(w.counted.len() - w.Limit)
			wait = max(wait, time.Duration(leaver-start)+1)
		}
	}
	if wait == 0 || rules.CountDenied {
		l.windows[0].counted.push(at)
		l.windows[1].counted.push(at)
	}
	return wait, wait == 0
}

func (l *limiter) seen() [2]Window {
	l.mu.Lock()
	defer l.mu.Unlock()
	return [2]Window{l.windows[0].Window, l.windows[1].Window}
}

// limits are the requests a second and a minute; 0 means no limit.
func (q QuotaRules) limits() (perSecond, perMinute int) {
	switch q.Preset {
	case "ocr":
		perSecond, perMinute = 15, 120
	case "none":
	default:
		perSecond, perMinute = 10, 60
	}
	if q.PerSecond > 0 {
		perSecond = q.PerSecond
	}
	if q.PerMinute > 0 {
		perMinute = q.PerMinute
	}
	return perSecond, perMinute
}

// times is a queue of arrival times, Unix nanoseconds, oldest first. The clock
// may step back a little between goroutines; a late entry only stays a moment
// longer, which errs on the strict side.
type times struct {
	ring  []int64
	first int
	count int
}

func (t *times) len() int { return t.count }

func (t *times) at(i int) int64 { return t.ring[(t.first+i)%len(t.ring)] }

func (t *times) push(at int64) {
	if t.count == len(t.ring) {
		grown := make([]int64, max(64, 2*t.count))
		for i := range t.count {
			grown[i] = t.at(i)
		}
		t.ring, t.first = grown, 0
	}
	t.ring[(t.first+t.count)%len(t.ring)] = at
	t.count++
}

func (t *times) dropBefore(start int64) {
	for t.count > 0 && t.at(0) < start {
		t.first = (t.first + 1) % len(t.ring)
		t.count--
	}
}
