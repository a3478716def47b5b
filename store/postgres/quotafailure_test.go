package postgres

import (
	"errors"
	"testing"

	"vlens-archiver/internal/testservices"
	"vlens-archiver/store"
	"vlens-archiver/store/window"
)

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
		if err := <-waiting; !errors.Is(err, errQuotaClosed) {
			t.Errorf("acquire: %v, want errQuotaClosed", err)
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
