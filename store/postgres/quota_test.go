package postgres

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"vlens-archiver/store/window"
)

func TestQuotaOfThreeProcesses(t *testing.T) {
	t.Parallel()
	const perShort, perLong = 20, 60
	const margin = 20 * time.Millisecond
	url := quotaDatabase(t)
	var (
		mu       sync.Mutex
		arrivals []time.Time
		workers  sync.WaitGroup
	)
	ctx, cancel := context.WithTimeout(t.Context(), 3*quickRules.Long.Duration())
	defer cancel()
	began := time.Now()
	for range 3 {
		q := joinQuota(t, url, QuotaConfig{Process: "worker", PerSecond: perShort, PerMinute: perLong, Margin: margin}, quickRules)
		for range 8 {
			workers.Go(func() {
				for {
					release, err := q.Acquire(ctx)
					if err != nil {
						return
					}
					// On the way, there, and back.
					_ = pause(context.Background(), rand.N(20*time.Millisecond))
					mu.Lock()
					arrivals = append(arrivals, time.Now())
					mu.Unlock()
					_ = pause(context.Background(), rand.N(20*time.Millisecond))
					release()
				}
			})
		}
	}
	workers.Wait()

	for _, limit := range []struct {
		window window.Instant
		n      int
	}{{quickRules.Short, perShort}, {quickRules.Long, perLong}} {
		if n := mostWithin(arrivals, limit.window.Duration()); n > limit.n {
			t.Errorf("%d requests arrived within %s, %d may", n, limit.window.Duration(), limit.n)
		}
	}
	possible := float64(perLong) * time.Since(began).Seconds() / quickRules.Long.Duration().Seconds()
	t.Logf("%d of %.0f requests sent", len(arrivals), possible)
	if float64(len(arrivals)) < possible/2 {
		t.Errorf("only %d of %.0f requests sent", len(arrivals), possible)
	}
}

func mostWithin(arrivals []time.Time, length time.Duration) int {
	slices.SortFunc(arrivals, time.Time.Compare)
	most, first := 0, 0
	for i, arrival := range arrivals {
		for arrival.Sub(arrivals[first]) > length {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func TestQuotaStricterProcessBindsAll(t *testing.T) {
	t.Parallel()
	url := quotaDatabase(t)
	lax := joinQuota(t, url, QuotaConfig{PerSecond: 50, PerMinute: 50}, window.Standard)
	strict := joinQuota(t, url, QuotaConfig{PerSecond: 50, PerMinute: 3, RunID: "r1", RunPerMinute: 2}, window.Standard)
	acquire(t, strict)()
	acquire(t, lax)()
	use, err := strict.Use(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if use.PerMinute != 3 || use.PerSecond != 50 || use.RunPerMinute != 2 || use.RunUsed != 1 || use.MinuteUsed != 2 || use.Processes != 2 {
		t.Errorf("use = %+v", use)
	}
	acquire(t, lax)()
	refuse(t, lax, "the strict process allows three")
	if err := strict.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What was granted at three a minute is not held against fifty.
	began := time.Now()
	acquire(t, lax)()
	if waited := time.Since(began); waited > 10*time.Second {
		t.Errorf("waited %s for the next slot of fifty a minute", waited)
	}
}

func TestQuotaCoolDownStopsEverybody(t *testing.T) {
	t.Parallel()
	url := quotaDatabase(t)
	cfg := QuotaConfig{PerSecond: 1_000, PerMinute: 1_000}
	one, other := joinQuota(t, url, cfg, quickRules), joinQuota(t, url, cfg, quickRules)
	acquire(t, one)()
	acquire(t, other)()
	const retryAfter = 2 * time.Second
	began := time.Now()
	if err := one.CoolDown(t.Context(), retryAfter); err != nil {
		t.Fatal(err)
	}
	use, err := other.Use(t.Context())
	if err != nil || use.CoolUntil.IsZero() {
		t.Fatalf("use = %+v, %v; want a cool-down", use, err)
	}
	acquire(t, other)()
	if waited := time.Since(began); waited < retryAfter-10*time.Millisecond {
		t.Errorf("granted %s after a throttle reply, want %s", waited, retryAfter)
	}
}
