package postgres

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/window"
)

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
