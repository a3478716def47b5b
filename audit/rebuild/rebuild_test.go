package rebuild_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens/vlenstest"
)

// A lost ledger comes back: what bucket and source tell is as it was, and the
// next run asks for no image, and lists only who was due anyway.
func TestRebuildBringsTheLedgerBack(t *testing.T) {
	t.Parallel()
	r := lived(t)
	r.ExecLedger(`DELETE FROM archive.subjects WHERE state = 'pending'`) // a sync adds them again
	before := tables(r)
	left := archivetest.Query[string](r.Tenant, `SELECT subject FROM archive.subjects WHERE left_at IS NOT NULL ORDER BY 1`)
	due := archivetest.Index(archivetest.Query[string](r.Tenant, `SELECT subject || ' ' || extract(epoch FROM next_due_at)::bigint FROM archive.subjects WHERE next_due_at IS NOT NULL AND left_at IS NULL`))
	for _, outcome := range store.Outcomes {
		if n := r.Count(`SELECT count(*) FROM archive.outcomes WHERE outcome = $1`, outcome); n == 0 {
			t.Errorf("nobody's outcome is %s: the test compares too little", outcome)
		}
	}

	lose(r)
	rebuilt, leftOut, err := rebuildLedger(t.Context(), r, nil)
	if err != nil || len(leftOut) > 0 {
		t.Fatalf("left out %q, %v", leftOut, err)
	}
	if diff := cmp.Diff(before, tables(r)); diff != "" {
		t.Errorf("the ledger before (-) and after (+):\n%s", diff)
	}
	if got := archivetest.Query[string](r.Tenant, `SELECT subject FROM archive.subjects WHERE user_id IS NULL ORDER BY 1`); !slices.Equal(got, left) || len(left) != 2 {
		t.Errorf("without a user: %v, want those who had left: %v", got, left)
	}
	if rebuilt.Linked != rebuilt.Subjects-2 || rebuilt.Exports != 1 || rebuilt.Verifications != 1 || rebuilt.Runs != 4 || rebuilt.LostEntries != 0 {
		t.Errorf("%+v", rebuilt)
	}
	// Due times are counted from when things happened, and spread as before.
	for subject, was := range due {
		var then, now int64
		fmt.Sscan(was, &then)
		now = r.Count(`SELECT extract(epoch FROM next_due_at)::bigint FROM archive.subjects WHERE subject = $1`, subject)
		if off := float64(now-then) / float64(then-time.Now().Unix()); off > 0.25 || off < -0.25 {
			t.Errorf("subject %s was due at %d, is now at %d", subject, then, now)
		}
	}

	// Bucket and ledger agree again.
	key, err := note.NewVerifier(archivetest.VerifierKey)
	if err != nil {
		t.Fatal(err)
	}
	verifier := &verify.Verifier{
		Options: verify.Options{Mode: store.VerifyDefault, Sample: 100, Seed: "seed", Parallel: 4},
		Ledger:  r.Ledger, Bucket: r.Bucket, Layout: r.Layout, LogKey: key, Identity: r.Identity(), Actor: "auditor@test",
	}
	if report, err := verifier.Verify(t.Context()); err != nil || report.Damaged != 0 {
		t.Errorf("verify after the rebuild: %d damaged, %v: %+v", report.Damaged, err, report.Findings)
	}

	requests := r.Sim.Requests(vlenstest.Image, vlenstest.List)
	r.Run("after", nil)
	if n := r.Sim.Requests(vlenstest.Image, vlenstest.List) - requests; n != 1 {
		t.Errorf("%d requests after the rebuild, want 1: the user whom nobody has seen", n)
	}
	// A second rebuild is refused: there is something in the ledger.
	if _, _, err := rebuildLedger(t.Context(), r, nil); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("over a ledger that is in use: %v", err)
	}
}

// A row of the source that changed since the ledger was lost, or just before, is
// looked at.
func TestRebuildLooksAtRowsThatChanged(t *testing.T) {
	t.Parallel()
	r := audittest.New(t, vlenstest.Options{People: 5, ImageBytes: 4 << 10})
	r.RunUnsealed("first")
	r.VerifyAgain("u-000002")
	r.ExecSource(`UPDATE users SET verified_at = now() + interval '1 minute' WHERE id = 'u-000003'`)
	lose(r)
	rebuilt, _, err := rebuildLedger(t.Context(), r, nil)
	if err != nil || rebuilt.DueAtOnce != 2 {
		t.Fatalf("%+v, %v", rebuilt, err)
	}
	images, lists := r.Sim.Requests(vlenstest.Image), r.Sim.Requests(vlenstest.List)
	r.RunUnsealed("second")
	if images, lists := r.Sim.Requests(vlenstest.Image)-images, r.Sim.Requests(vlenstest.List)-lists; images != vlenstest.KindCount || lists != 2 {
		t.Errorf("%d images and %d listings, want those of the new verification and a look at the other", images, lists)
	}
}

// A process that died while it sealed has left entries in the bucket that no
// checkpoint covers. They have their places: the next seal goes on from there.
func TestRebuildKeepsEntriesThatWereNotPublished(t *testing.T) {
	t.Parallel()
	r := audittest.New(t, vlenstest.Options{People: 3, ImageBytes: 4 << 10})
	r.Run("first", nil)
	r.VerifyAgain("u-000001")
	r.VerifyAgain("u-000002")
	r.RunUnsealed("second")

	// The two records that wait get their places, and the bundle with them.
	r.ExecLedger(`
		INSERT INTO archive.log_entries (log_index, sha256, kind, key)
		SELECT (SELECT count(*) FROM archive.log_entries) - 1 + row_number() OVER (ORDER BY w.sha256), w.sha256, w.kind, w.key
		FROM archive.log_waiting AS w WHERE w.kind = 'record'`)
	r.ExecLedger(`DELETE FROM archive.log_waiting WHERE kind = 'record'`)
	var entries []manifest.Entry
	for _, sum := range archivetest.Query[string](r.Tenant, `SELECT sha256 FROM archive.log_entries ORDER BY log_index`) {
		var entry manifest.Entry
		if _, err := hex.Decode(entry[:], []byte(sum)); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry)
	}
	r.Put(r.Layout.Tile(tlog.Tile{H: manifest.TileHeight, L: manifest.EntryLevel, N: 0, W: len(entries)}), archivetest.Object{Body: manifest.EncodeEntries(entries)})

	before := tables(r)
	lose(r)
	if _, _, err := rebuildLedger(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	after := tables(r)
	for _, table := range []string{"log", "log_entries", "log_waiting"} {
		if diff := cmp.Diff(before[table], after[table]); diff != "" {
			t.Errorf("%s before (-) and after (+):\n%s", table, diff)
		}
	}
	r.Run("third", nil)
	r.CheckLog()
}
