package rebuild_test

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vlens-archiver/audit/rebuild"
	"vlens-archiver/store"
)

// Whatever happens in the middle, the ledger is empty or whole.
func TestRebuildIsAllOrNothing(t *testing.T) {
	t.Parallel()
	r := lived(t)
	before := tables(r)
	lose(r)
	for _, after := range []int{1, 5, 20, 36} {
		ctx, cancel := context.WithCancel(t.Context())
		_, _, err := rebuildLedger(ctx, r, func(b *rebuild.Rebuilder) { b.Bucket = &stopReading{Bucket: b.Bucket, left: after, stop: cancel} })
		cancel()
		if err == nil {
			t.Fatalf("stopped after %d reads it succeeds", after)
		}
		for _, table := range []string{"archive", "runs", "subjects", "records", "images", "outcomes", "transactions", "log_entries", "access_log", "verifications"} {
			if n := r.Count(`SELECT count(*) FROM archive.` + table); n != 0 {
				t.Errorf("stopped after %d reads, %d rows are in %s", after, n, table)
			}
		}
	}
	if _, _, err := rebuildLedger(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	after := tables(r)
	if diff := cmp.Diff(before["records"], after["records"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before["log_entries"], after["log_entries"]); diff != "" {
		t.Error(diff)
	}
}

// stopReading stops after a number of reads.
type stopReading struct {
	rebuild.Bucket
	mu   sync.Mutex
	left int
	stop func()
}

func (s *stopReading) Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error) {
	s.mu.Lock()
	if s.left--; s.left == 0 {
		s.stop()
	}
	s.mu.Unlock()
	return s.Bucket.Get(ctx, key, versionID)
}

// Killed in the middle, the program leaves an empty ledger, and then does it all.
func TestRebuildProgramIsKilled(t *testing.T) {
	t.Parallel()
	r := lived(t)
	before := tables(r)
	lose(r)
	release := r.Hold(`LOCK TABLE archive.images IN EXCLUSIVE MODE`)
	process := r.Start(4, "rebuild", "--json")
	r.Await(`SELECT count(*) FROM pg_locks AS l WHERE l.relation = 'archive.images'::regclass AND NOT l.granted`)
	process.Kill()
	release()

	// The server notices at its next word to the process that is gone.
	second := r.Start(4, "rebuild", "--json")
	if code := second.Wait(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, second.Stderr)
	}
	var stated struct {
		store.Rebuilt
		LeftOut []string `json:"left_out"`
	}
	if err := json.Unmarshal(second.Stdout.Bytes(), &stated); err != nil || stated.LeftOut == nil || len(stated.LeftOut) > 0 {
		t.Errorf("%s: %v", second.Stdout, err)
	}
	after := tables(r)
	for _, table := range []string{"records", "images", "outcomes", "runs", "log_entries"} {
		if diff := cmp.Diff(before[table], after[table]); diff != "" {
			t.Errorf("%s before (-) and after (+):\n%s", table, diff)
		}
	}
	third := r.Start(4, "rebuild")
	if code := third.Wait(); code != 4 || !strings.Contains(third.Stderr.String(), "not empty") || !strings.Contains(third.Stderr.String(), "next: ") {
		t.Errorf("over a full ledger: exit code %d\n%s", code, third.Stderr)
	}
}
