package rebuild_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/audit"
	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/export"
	"vlens-archiver/audit/rebuild"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// lived is an archive that has seen a bit of everything: every kind of outcome,
// two verifications of one person, a shared transaction, one without an id,
// other bytes under the same reference, users who left, an export and a
// verification. Some of it is in the log.
func lived(t *testing.T) *audittest.Archive {
	t.Helper()
	one := func(kind vlenstest.Kind, image string) vlenstest.Rules {
		return vlenstest.Rules{Images: map[vlenstest.Kind]string{kind: image}}
	}
	r := audittest.New(t, vlenstest.Options{People: 24, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{
		Users: map[string]vlenstest.Rules{
			"u-000003": {User: "unknown"},
			"u-000004": {Listing: "empty"},
			"u-000005": {Row: "no_identifier"},
			"u-000006": one(vlenstest.Face2, "not_image"),
			"u-000007": one(vlenstest.IDBack, "gone"),
			"u-000008": {SharesOf: "u-000001"},
			"u-000009": {References: "names", Transaction: "optional", Row: "no_transaction"},
			"u-000010": one(vlenstest.Liveness, "truncated"),
			"u-000011": {Faults: map[vlenstest.Endpoint]string{vlenstest.List: "error"}},
			"u-000012": one(vlenstest.IDFront, "error"),
			"u-000013": {Image: "gone"},
			"u-000014": one(vlenstest.Face3, "absent"),
		},
	}})
	r.Run("first", nil)
	r.VerifyAgain("u-000002")
	r.ExecSource(`DELETE FROM users WHERE id IN ('u-000020', 'u-000021')`)
	r.Run("second", nil)

	if err := r.Sim.Change(func(s *vlenstest.Scenario) { s.Users["u-000015"] = vlenstest.Rules{Image: "changed"} }); err != nil {
		t.Fatal(err)
	}
	r.Run("third", func(c *worker.Config) {
		c.Run.Kind = store.RunBackfill
		c.Run.Selection = store.Selection{UserIDs: []string{"u-000001", "u-000015"}, Force: true}
	})

	r.VerifyAgain("u-000016")
	r.ExecSource(`DELETE FROM users WHERE id IN ('u-000020', 'u-000021')`)
	r.RunUnsealed("fourth")
	r.ExecSource(`INSERT INTO users (id, email) VALUES ('u-999999', 'someone@example.com')`) // nobody has seen them yet

	if _, err := r.Exporter().Export(t.Context(), audittest.SubjectOf("u-000002"), audittest.Reason, export.Folder(filepath.Join(t.TempDir(), "a"))); err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Truncate(time.Millisecond)
	key := r.Layout.Audit(at, "verify-1")
	verification := store.Verification{
		StartedAt: at.Add(-time.Minute), EndedAt: at, Mode: store.VerifyDeep, Scope: json.RawMessage(`{}`),
		Objects: 5, Findings: map[string]int64{"missing": 1}, Damaged: 1, AuditKey: key,
	}
	body, err := manifest.NewVerificationStatement("verify-1", "auditor@test", verification, manifest.Tool{}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	verification.AuditSHA256 = fmt.Sprintf("%x", sha256.Sum256(body))
	if err := r.Ledger.AddVerification(t.Context(), verification, func(context.Context) error { r.Put(key, archivetest.Object{Body: body}); return nil }); err != nil {
		t.Fatal(err)
	}
	return r
}

// known is what bucket and source tell, table by table, as the ledger has it.
// What only the ledger knew is left out: it is listed in docs/evidence.md.
var known = map[string]string{
	"records": `SELECT key || ' ' || concat_ws('|', subject, transaction_id, sequence, version_id, sha256, run_id, archived_at) FROM archive.records`,
	"images": `SELECT concat_ws('/', subject, transaction_id, row_number() OVER (PARTITION BY subject, transaction_id ORDER BY image_id)) || ' ' ||
		concat_ws('|', kind, ref, state, class, key, version_id, etag, bytes, media_type, width, height, sha256, flags, run_id, fetched_at) FROM archive.images`,
	"transactions": `SELECT transaction_id || ' ' || subject FROM archive.transactions`,
	"runs":         `SELECT run_id || ' ' || concat_ws('|', kind, status, date_trunc('milliseconds', started_at), sync_left_held, sums_key, checkpoint_at IS NULL) FROM archive.runs`,
	"outcomes": `SELECT run_id || '/' || o.subject || ' ' || concat_ws('|', outcome, class, requests, bytes, o.transaction_id, record_key, record_sha256)
		FROM archive.outcomes AS o`,
	"users": `SELECT s.subject || ' ' || concat_ws('|', s.user_id, s.verified_at, s.transaction_id, s.due_reason, s.next_due_at IS NULL)
		FROM archive.subjects AS s WHERE s.left_at IS NULL`,
	"subjects":      `SELECT s.subject || ' ' || concat_ws('|', s.state, s.last_class, s.attempts, s.last_run_id, s.left_at IS NOT NULL) FROM archive.subjects AS s`,
	"log_entries":   `SELECT log_index || ' ' || concat_ws('|', sha256, kind, key) FROM archive.log_entries`,
	"log":           `SELECT 'log ' || concat_ws('|', size, root, etag) FROM archive.log`,
	"log_waiting":   `SELECT key || ' ' || concat_ws('|', sha256, kind) FROM archive.log_waiting`,
	"access_log":    `SELECT audit_key || ' ' || concat_ws('|', at, action, actor, subject, reason, objects, audit_sha256) FROM archive.access_log`,
	"verifications": `SELECT audit_key || ' ' || concat_ws('|', started_at, ended_at, mode, scope, objects, records, damaged, findings, audit_sha256) FROM archive.verifications`,
	"archive":       `SELECT 'archive ' || concat_ws('|', layout_version, origin, tenancy_name, key_check, place) FROM archive.archive`,
}

func tables(r *audittest.Archive) map[string]map[string]string {
	r.T.Helper()
	all := make(map[string]map[string]string)
	for table, sql := range known {
		all[table] = archivetest.Index(archivetest.Query[string](r.Tenant, sql))
	}
	return all
}

// lose is the loss of the ledger.
func lose(r *audittest.Archive) {
	r.T.Helper()
	r.ExecLedger(`DROP SCHEMA archive CASCADE`)
	if _, err := postgres.Migrate(r.T.Context(), store.Sensitive(r.LedgerURL), postgres.Up); err != nil {
		r.T.Fatal(err)
	}
}

// rebuild fills the ledger; change edits what does it.
func rebuildLedger(r *audittest.Archive, ctx context.Context, change func(*rebuild.Rebuilder)) (store.Rebuilt, []string, error) {
	r.T.Helper()
	source, err := postgres.OpenSource(ctx, postgres.SourceConfig{
		URL: store.Sensitive(r.SourceURL), UsersSQL: "SELECT id, email, phone, transaction_id, verified_at FROM users", Identifiers: []string{"phone"},
	})
	if err != nil {
		return store.Rebuilt{}, nil, err
	}
	defer source.Close()
	var rebuilt store.Rebuilt
	var leftOut []string
	err = postgres.NewUsers(source, r.Ledger).Rebuild(ctx, r.Identity(), r.Key(), false, func(ledger *postgres.Rebuild) (err error) {
		rebuilder := &rebuild.Rebuilder{
			Ledger: ledger, Bucket: r.Bucket, Layout: r.Layout, VerifierKey: archivetest.VerifierKey,
			NextDue: func(outcome store.Outcome, class store.Class, attempts int) time.Duration {
				return worker.NextDue(outcome, class, attempts, 2160*time.Hour)
			},
			Warn: func(key string, _ error) { leftOut = append(leftOut, key) },
		}
		if change != nil {
			change(rebuilder)
		}
		rebuilt, err = rebuilder.Rebuild(ctx)
		return err
	})
	return rebuilt, leftOut, err
}

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
	rebuilt, leftOut, err := rebuildLedger(r, t.Context(), nil)
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
	if _, _, err := rebuildLedger(r, t.Context(), nil); !errors.Is(err, store.ErrNotEmpty) {
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
	rebuilt, _, err := rebuildLedger(r, t.Context(), nil)
	if err != nil || rebuilt.DueAtOnce != 2 {
		t.Fatalf("%+v, %v", rebuilt, err)
	}
	images, lists := r.Sim.Requests(vlenstest.Image), r.Sim.Requests(vlenstest.List)
	r.RunUnsealed("second")
	if images, lists := r.Sim.Requests(vlenstest.Image)-images, r.Sim.Requests(vlenstest.List)-lists; images != vlenstest.KindCount || lists != 2 {
		t.Errorf("%d images and %d listings, want those of the new verification and a look at the other", images, lists)
	}
}

// Whatever happens in the middle, the ledger is empty or whole.
func TestRebuildIsAllOrNothing(t *testing.T) {
	t.Parallel()
	r := lived(t)
	before := tables(r)
	lose(r)
	for _, after := range []int{1, 5, 20, 36} {
		ctx, cancel := context.WithCancel(t.Context())
		_, _, err := rebuildLedger(r, ctx, func(b *rebuild.Rebuilder) { b.Bucket = &stopReading{Bucket: b.Bucket, left: after, stop: cancel} })
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
	if _, _, err := rebuildLedger(r, t.Context(), nil); err != nil {
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

// What does not prove itself is left out by name; a log that does not prove
// itself stops the rebuild.
func TestRebuildOfADamagedArchive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage  func(r *audittest.Archive) string // returns the key
		damaged bool                              // the rebuild fails
	}{
		"a record cut": {func(r *audittest.Archive) string {
			key := r.ARecord()
			r.Overwrite(key, func(b []byte) []byte { return b[:len(b)/2] })
			return key
		}, false},
		"a record with an impossible image": {func(r *audittest.Archive) string {
			key := r.ARecord()
			r.Overwrite(key, func(b []byte) []byte {
				return []byte(strings.Replace(string(b), `"kind": "id_back"`, `"kind": "id_bach"`, 1))
			})
			return key
		}, false},
		"a manifest": {func(r *audittest.Archive) string { return ruin(r, "/manifest.jsonl.gz") }, false},
		"a summary":  {func(r *audittest.Archive) string { return ruin(r, "/summary.json") }, false},
		"an entry bundle": {func(r *audittest.Archive) string {
			for key := range r.ObjectsUnder(r.Layout.Tiles() + "entries/") {
				r.Overwrite(key, audittest.Flip)
			}
			return "tile/entries/"
		}, true},
		"the checkpoint": {func(r *audittest.Archive) string {
			key := r.Layout.Checkpoint()
			r.Overwrite(key, audittest.SwapSignature)
			return key
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := audittest.NewSealed(t)
			key := c.damage(r)
			lose(r)
			rebuilt, leftOut, err := rebuildLedger(r, t.Context(), nil)
			if c.damaged {
				if !errors.Is(err, audit.ErrDamaged) || !strings.Contains(err.Error(), key) {
					t.Errorf("%v, want the damage of %s", err, key)
				}
				return
			}
			if err != nil || !slices.Equal(leftOut, []string{key}) {
				t.Fatalf("left out %q, %v; want %s", leftOut, err, key)
			}
			if strings.HasSuffix(key, ".json") && strings.Contains(key, "/subjects/") && (rebuilt.Records != 5 || rebuilt.LogEntries != 8) {
				t.Errorf("%+v", rebuilt)
			}
		})
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
	if _, _, err := rebuildLedger(r, t.Context(), nil); err != nil {
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

// Killed in the middle, the program leaves an empty ledger, and then does it all.
func TestRebuildProgramIsKilled(t *testing.T) {
	t.Parallel()
	r := lived(t)
	before := tables(r)
	lose(r)
	release := holdLock(r, `LOCK TABLE archive.images IN EXCLUSIVE MODE`)
	process := r.Start(4, "rebuild", "--json")
	awaitCount(r, `SELECT count(*) FROM pg_locks AS l WHERE l.relation = 'archive.images'::regclass AND NOT l.granted`)
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

// Without the key a log cannot be told from a forged one.
func TestRebuildNeedsTheVerifierKey(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	lose(r)
	if _, _, err := rebuildLedger(r, t.Context(), func(b *rebuild.Rebuilder) { b.VerifierKey = "" }); !errors.Is(err, rebuild.ErrNoVerifierKey) {
		t.Error(err)
	}
}

// ruin changes one byte of a file of the first run.
func ruin(r *audittest.Archive, name string) string {
	r.T.Helper()
	key := ofFirstRun(r, name)
	r.Overwrite(key, audittest.Flip)
	return key
}

// ofFirstRun is the key of a file of the first run.
func ofFirstRun(r *audittest.Archive, name string) string {
	r.T.Helper()
	for key := range r.ObjectsUnder(r.Layout.Runs()) {
		if strings.HasSuffix(key, "first"+name) {
			return key
		}
	}
	r.T.Fatalf("no %s", name)
	return ""
}

// holdLock takes a lock in the ledger until the returned function is called.
func holdLock(r *audittest.Archive, sql string) (release func()) {
	r.T.Helper()
	conn, err := pgx.Connect(r.T.Context(), r.LedgerURL)
	if err != nil {
		r.T.Fatal(err)
	}
	release = sync.OnceFunc(func() { _ = conn.Close(context.WithoutCancel(r.T.Context())) })
	r.T.Cleanup(release)
	if _, err := conn.Exec(r.T.Context(), `BEGIN; `+sql); err != nil {
		r.T.Fatal(err)
	}
	return release
}

// awaitCount waits until a count in the ledger is not 0.
func awaitCount(r *audittest.Archive, sql string) {
	r.T.Helper()
	ctx, cancel := context.WithTimeout(r.T.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for r.Count(sql) == 0 {
		select {
		case <-ctx.Done():
			r.T.Fatalf("nothing after a minute: %s", sql)
		case <-tick.C:
		}
	}
}
