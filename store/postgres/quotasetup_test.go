package postgres

import (
	"context"
	"errors"
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

func rawPool(t testing.TB, url store.Sensitive) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// kill ends a share as kill -9 would: nobody gets to know.
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

// refuse makes sure that an ask is in the queue and stays there.
func refuse(t *testing.T, q *Quota, why string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := q.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("acquire: %v, but %s", err, why)
	}
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
