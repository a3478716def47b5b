package faults_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// Users whose rows another session has locked are waited for, while the heart goes
// on beating, and the log says so.
func TestLockedUsersAreWaitedFor(t *testing.T) {
	t.Parallel()
	const users = 40
	tn := slowTenant(t, users)
	p := tn.Process("nightly", func(c *worker.Config) { c.Silence = 5 * time.Second; c.OutageBound = time.Minute })
	defer p.Close()
	go func() {
		p.WaitForUsers(5)
		tn.ExecLedger(`DO $$ BEGIN PERFORM 1 FROM archive.subjects FOR UPDATE; PERFORM pg_sleep(14); END $$`)
	}()
	report, err := p.Run(t.Context(), t.Context())
	checkAllArchived(tn, report, err, users)
	log := tn.Log.String()
	if !strings.Contains(log, `"event":"lock_wait"`) || strings.Contains(log, "process_lost") || strings.Contains(log, "heartbeat_failed") {
		t.Errorf("the log:\n%s", log)
	}
	if n := tn.Sim.Requests(vlenstest.List); n != users {
		t.Errorf("%d listings for %d users", n, users)
	}
}

// The sync waits for a lock on the table too, says so, and gives up after the bound.
func TestLockedTable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		held string
		fits func(error) bool
	}{
		"for a while": {"8", func(err error) bool { return err == nil }},
		"for long":    {"30", func(err error) bool { return errors.Is(err, store.ErrLocked) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tn := archivetest.NewTenant(t, tenantOf(5))
			const lock = `FROM pg_locks WHERE mode = 'ShareUpdateExclusiveLock' AND relation = 'archive.subjects'::regclass
				AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
			var holder sync.WaitGroup
			defer holder.Wait()
			holder.Go(func() {
				tn.ExecLedger(`DO $$ BEGIN
					LOCK TABLE archive.subjects IN SHARE UPDATE EXCLUSIVE MODE; PERFORM pg_sleep(` + c.held + `);
					EXCEPTION WHEN query_canceled THEN NULL; END $$`)
			})
			for tn.Count(`SELECT count(*) `+lock) == 0 {
				pause(t.Context(), 10*time.Millisecond)
			}
			p := tn.Process("nightly", func(c *worker.Config) { c.OutageBound = 12 * time.Second })
			defer p.Close()
			_, err := p.Run(t.Context(), t.Context())
			if !c.fits(err) {
				t.Errorf("the run ended with %v", err)
			}
			if !strings.Contains(tn.Log.String(), `"event":"lock_wait"`) {
				t.Errorf("the log does not say why the run waits:\n%s", tn.Log)
			}
			tn.ExecLedger(`SELECT pg_cancel_backend(pid) ` + lock)
		})
	}
}
