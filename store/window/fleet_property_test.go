package window_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
	. "vlens-archiver/store/window"
)

// fifthRules are the standard rules with everything five times as fast, so that
// more cases are tried in the same time.
func fifthRules() Rules {
	r := Standard
	for _, length := range []*Instant{
		&r.Short, &r.Long, &r.Takeover, &r.Absent, &r.Beat, &r.WaitBeat, &r.Poll, &r.FirstPause, &r.LongestPause, &r.Ramp,
	} {
		*length /= 5
	}
	return r
}

// TestNoWindowIsExceeded: whatever the processes do, and however they die, the
// vendor never sees more than the limits.
func TestNoWindowIsExceeded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := newFleet(t.Fatalf, rapid.Uint64().Draw(t, "seed"))
		f.rules = fifthRules()
		limits := Limits{
			PerShort: rapid.IntRange(0, 20).Draw(t, "per second"),
			PerLong:  rapid.IntRange(0, 100).Draw(t, "per minute"),
			Margin:   Instant(rapid.IntRange(0, 60).Draw(t, "margin")),
		}
		if limits.PerShort == 0 && limits.PerLong == 0 {
			limits.PerLong = 1
		}
		perRun := rapid.IntRange(1, 40).Draw(t, "per minute of the run")
		begin := f.now
		processes := rapid.IntRange(1, 5).Draw(t, "processes")
		for i := range processes {
			c := &crew{
				id:      fmt.Sprint("p", i),
				limits:  limits,
				workers: rapid.IntRange(1, 16).Draw(t, "workers"),
				latency: Instant(rapid.SampledFrom([]int{0, 50, 500, 5_000}).Draw(t, "latency")),
				lag:     Instant(rapid.SampledFrom([]int{0, 5, 50, 500}).Draw(t, "lag")),
				cancel:  rapid.SampledFrom([]float64{0, 0.1}).Draw(t, "cancelled"),
				lose:    rapid.SampledFrom([]float64{0, 0.1}).Draw(t, "lost answers"),
			}
			if rapid.Bool().Draw(t, "in the run") {
				c.limits.Run, c.limits.PerLongOfRun = "backfill-1", perRun
			}
			f.run(f.now + Instant(rapid.IntRange(0, 4_000).Draw(t, "joins after")))
			f.join(c)
		}
		for i := range rapid.IntRange(0, processes).Draw(t, "deaths") {
			f.run(f.now + Instant(rapid.IntRange(0, 12_000).Draw(t, "lives for")))
			f.crews[i].dead = true
		}
		f.run(begin + 36_000)

		if limits.PerShort > 0 {
			if n := most(f.arrived, f.rules.Short+limits.Margin); n > limits.PerShort {
				t.Fatalf("%d requests arrived within a second, %d may", n, limits.PerShort)
			}
		}
		if limits.PerLong > 0 {
			if n := most(f.arrived, f.rules.Long+limits.Margin); n > limits.PerLong {
				t.Fatalf("%d requests arrived within a minute, %d may", n, limits.PerLong)
			}
		}
		if n := most(f.ofRun["backfill-1"], f.rules.Long+limits.Margin); n > perRun {
			t.Fatalf("%d requests of the run arrived within a minute, %d may", n, perRun)
		}
	})
}

// TestSaturatedMinuteIsUsed: with enough to do, at least 95 % of the minute
// window is used from the first minute on, pacing included.
func TestSaturatedMinuteIsUsed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := newFleet(t.Fatalf, rapid.Uint64().Draw(t, "seed"))
		f.rules = fifthRules()
		perMinute := rapid.IntRange(5, 120).Draw(t, "per minute")
		limits := Limits{PerLong: perMinute, PerShort: perMinute/10 + 3, Margin: 50}
		processes := rapid.IntRange(1, 4).Draw(t, "processes")
		begin := f.now
		for i := range processes {
			f.join(&crew{
				id:      fmt.Sprint("p", i),
				limits:  limits,
				workers: rapid.IntRange(8, 24).Draw(t, "workers"),
				latency: Instant(rapid.IntRange(0, 60).Draw(t, "latency")),
				lag:     Instant(rapid.IntRange(0, 10).Draw(t, "lag")),
			})
		}
		const minutes = 3
		f.run(begin + minutes*f.rules.Long)
		used := between(f.arrived, begin, f.now)
		if used*100 < minutes*perMinute*95 {
			t.Fatalf("%d of %d slots used", used, minutes*perMinute)
		}
	})
}
