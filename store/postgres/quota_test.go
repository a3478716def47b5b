package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/store"
	"vlens-archiver/store/window"
)

// quickRules are windows short enough to see several of them in a test.
var quickRules = window.Rules{
	Short: 400, Long: 3_000,
	Takeover: 2_000, Absent: 500, Beat: 500, WaitBeat: 100, Poll: 50,
	FirstPause: 600, LongestPause: 5_000, Ramp: 1_500,
}

func quotaDatabase(t testing.TB) store.Sensitive {
	t.Helper()
	url := store.Sensitive(testservices.DB(t))
	if _, err := Migrate(t.Context(), url, Up); err != nil {
		t.Fatal(err)
	}
	return url
}

// joinQuota starts a process's share on a pool of its own, as another process
// would have it.
func joinQuota(t testing.TB, url store.Sensitive, cfg QuotaConfig, rules window.Rules) *Quota {
	t.Helper()
	database, err := openDatabase(t.Context(), ledgerName, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.pool.Close)
	cfg.BaseURL, cfg.Tenancy = "https://api.example", "acme"
	q := startQuota(database.pool, cfg, rules)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := q.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return q
}

// kill ends a share as kill -9 would: nobody is told.
func kill(q *Quota) {
	q.stop()
	<-q.ended
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
}

func acquire(t testing.TB, q *Quota) func() {
	t.Helper()
	release, err := q.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return release
}

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

func TestQuotaOfADeadProcessComesBack(t *testing.T) {
	t.Parallel()
	url := quotaDatabase(t)
	cfg := QuotaConfig{PerMinute: 1}
	dead := joinQuota(t, url, cfg, quickRules)
	acquire(t, dead)
	began := time.Now()
	kill(dead)
	acquire(t, joinQuota(t, url, cfg, quickRules))()
	// Its last sign of life came with the grant, a moment before.
	least := (quickRules.Takeover + quickRules.Long).Duration() - 100*time.Millisecond
	if waited := time.Since(began); waited < least {
		t.Errorf("the slot was free after %s, its request may count until %s", waited, least)
	}
}

func TestQuotaPassesOverDeadWaiters(t *testing.T) {
	t.Parallel()
	url := quotaDatabase(t)
	rules := quickRules
	rules.Takeover = window.Millis(time.Hour)
	cfg := QuotaConfig{PerMinute: 1}
	holder, dead, living := joinQuota(t, url, cfg, rules), joinQuota(t, url, cfg, rules), joinQuota(t, url, cfg, rules)
	release := acquire(t, holder)
	go func() { _, _ = dead.Acquire(t.Context()) }()
	waitForQuota(t, dead, func(use store.QuotaUse) bool { return use.Waiting == 1 })
	kill(dead)
	release()
	began := time.Now()
	acquire(t, living)()
	if waited := time.Since(began); waited > rules.Long.Duration()+5*time.Second {
		t.Errorf("waited %s behind a dead process", waited)
	}
}

func TestQuotaIsFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	url := quotaDatabase(t)
	rules := quickRules
	rules.Short, rules.Long = 100, 200
	rules.Absent = window.Millis(time.Minute) // a slow machine is not absence
	rules.Takeover = window.Millis(time.Minute)
	cfg := QuotaConfig{PerMinute: 1}
	first := joinQuota(t, url, cfg, rules)
	shares := []*Quota{first, joinQuota(t, url, cfg, rules), joinQuota(t, url, cfg, rules)}
	release := acquire(t, first)
	order := make(chan int, 9)
	var asks sync.WaitGroup
	for i := range cap(order) {
		asks.Go(func() {
			release, err := shares[i%3].Acquire(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			order <- i
			release()
		})
		waitForQuota(t, first, func(use store.QuotaUse) bool { return use.Waiting == i+1 })
	}
	release()
	asks.Wait()
	for i := range cap(order) {
		if got := <-order; got != i {
			t.Fatalf("ask %d was served in place %d", got, i)
		}
	}
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

// refuse makes sure that an ask is in the queue and stays there.
func refuse(t *testing.T, q *Quota, why string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := q.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("acquire: %v, but %s", err, why)
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

func TestQuotaTakesBackUnusedSlots(t *testing.T) {
	t.Parallel()
	url := quotaDatabase(t)
	q := joinQuota(t, url, QuotaConfig{PerSecond: 0, PerMinute: 100_000}, window.Standard)
	var used atomic.Int64
	var asks sync.WaitGroup
	for i := range 200 {
		asks.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%20)*time.Millisecond/2)
			defer cancel()
			release, err := q.Acquire(ctx)
			if err == nil {
				used.Add(1)
				release()
				release() // a second call changes nothing
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
	}
	asks.Wait()
	t.Logf("%d of 200 were in time", used.Load())
	waitForQuota(t, q, func(use store.QuotaUse) bool {
		return use.InFlight == 0 && use.Waiting == 0 && use.MinuteUsed == int(used.Load())
	})
}

func TestQuotaSurvivesARefusedWrite(t *testing.T) {
	t.Parallel()
	url := quotaDatabase(t)
	pool := rawPool(t, url)
	q := joinQuota(t, url, QuotaConfig{PerMinute: 100}, window.Standard)
	acquire(t, q)()
	// The sessions of the process end, as when the database fails over.
	for range 5 {
		if _, err := pool.Exec(t.Context(), `
			SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
		acquire(t, q)()
	}
	waitForQuota(t, q, func(use store.QuotaUse) bool { return use.MinuteUsed == 6 && use.InFlight == 0 })
}

func TestQuotaFailures(t *testing.T) {
	t.Parallel()
	t.Run("no schema", func(t *testing.T) {
		t.Parallel()
		q := startQuota(rawPool(t, store.Sensitive(testservices.DB(t))), QuotaConfig{PerMinute: 1}, window.Standard)
		defer kill(q)
		if _, err := q.Acquire(t.Context()); !errors.Is(err, store.ErrSchema) {
			t.Errorf("acquire: %v, want ErrSchema", err)
		}
		if err := q.CoolDown(t.Context(), 0); !errors.Is(err, store.ErrSchema) {
			t.Errorf("cool down: %v, want ErrSchema", err)
		}
	})
	t.Run("no database", func(t *testing.T) {
		t.Parallel()
		q := startQuota(rawPool(t, "postgres://127.0.0.1:1/none"), QuotaConfig{PerMinute: 1}, window.Standard)
		defer kill(q)
		if _, err := q.Acquire(t.Context()); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("acquire: %v, want ErrUnavailable", err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		q := joinQuota(t, quotaDatabase(t), QuotaConfig{PerMinute: 1}, window.Standard)
		release := acquire(t, q)
		waiting := make(chan error)
		go func() {
			_, err := q.Acquire(t.Context())
			waiting <- err
		}()
		waitForQuota(t, q, func(use store.QuotaUse) bool { return use.Waiting == 1 })
		closed := make(chan error)
		go func() { closed <- q.Close(t.Context()) }()
		if err := <-waiting; !errors.Is(err, ErrQuotaClosed) {
			t.Errorf("acquire: %v, want ErrQuotaClosed", err)
		}
		release()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		use, err := q.Use(t.Context())
		if err != nil || use.Processes != 0 || use.InFlight != 0 {
			t.Errorf("use after close = %+v, %v", use, err)
		}
	})
}

func rawPool(t testing.TB, url store.Sensitive) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// waitForQuota looks until the row says what it must, or the test's time is over.
func waitForQuota(t testing.TB, q *Quota, ready func(store.QuotaUse) bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		use, err := q.Use(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ready(use) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the quota stays at %+v", use)
		}
		if err := pause(t.Context(), 5*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkQuota(b *testing.B) {
	rules := window.Standard
	rules.Long = 1_000 // so that the row does not grow with b.N
	for _, processes := range []int{1, 3} {
		b.Run(map[int]string{1: "one process", 3: "three processes"}[processes], func(b *testing.B) {
			url := quotaDatabase(b)
			var workers sync.WaitGroup
			var left atomic.Int64
			left.Store(int64(b.N))
			shares := make([]*Quota, processes)
			for i := range shares {
				shares[i] = joinQuota(b, url, QuotaConfig{PerSecond: 1_000_000}, rules)
			}
			b.ResetTimer()
			for _, q := range shares {
				for range 16 {
					workers.Go(func() {
						for left.Add(-1) >= 0 {
							release, err := q.Acquire(b.Context())
							if err != nil {
								b.Error(err)
								return
							}
							release()
						}
					})
				}
			}
			workers.Wait()
		})
	}
}
