package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/audit/verify"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/storetest"
)

// logOnly is a ledger that has a log and nothing else.
type logOnly struct {
	verify.Ledger // nothing else is asked
	rows          []store.LogRow
	state         store.LogState
}

func (logOnly) Archive(context.Context) (store.ArchiveIdentity, error) {
	return store.ArchiveIdentity{}, store.ErrNotFound
}

func (logOnly) LedgerID(context.Context) (string, error) { return "", nil }

func (logOnly) CountObjects(context.Context) (int64, error) { return 0, nil }

func (l logOnly) LogState(context.Context) (store.LogState, error) { return l.state, nil }

func (l logOnly) AuditLog(context.Context) iter.Seq2[store.LogRow, error] { return rowsOf(l.rows) }

func (logOnly) AuditSubjects(context.Context, store.AuditScope) iter.Seq2[store.SubjectRows, error] {
	return rowsOf[store.SubjectRows](nil)
}

func (logOnly) AuditUnbacked(context.Context) iter.Seq2[store.Unbacked, error] {
	return rowsOf[store.Unbacked](nil)
}

func (logOnly) AuditRuns(context.Context, string, func(store.Run) string) iter.Seq2[store.RunCheck, error] {
	return rowsOf[store.RunCheck](nil)
}

func (logOnly) AuditStatements(context.Context, ...string) ([]store.StatedRow, error) {
	return nil, nil
}

func (logOnly) AddVerification(context.Context, store.Verification, func(context.Context) error) error {
	return nil
}

func rowsOf[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

const origin = "acme.example/vlens-archive"

// grownLog is a log that was sealed at each of some sizes, and what a ledger says
// of it. What stands in the bucket is in files, to be tampered with.
type grownLog struct {
	t      *testing.T
	layout manifest.Layout
	key    manifest.SigningKey
	files  map[string][]byte
	ledger logOnly
	hashes []tlog.Hash
	heads  map[int64][]byte // checkpoints by size
}

func growLog(t *testing.T, sizes ...int64) *grownLog {
	t.Helper()
	text, err := manifest.GenerateSigningKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	g := &grownLog{t: t, layout: manifest.Layout{Prefix: "vlens"}, files: make(map[string][]byte), heads: make(map[int64][]byte)}
	if g.key, err = manifest.ParseSigningKey(text); err != nil {
		t.Fatal(err)
	}
	var entries []manifest.Entry
	before := int64(0)
	for _, size := range sizes {
		for n := before; n < size; n++ {
			entry := sha256.Sum256(fmt.Appendf(nil, "record %d", n))
			more, err := tlog.StoredHashesForRecordHash(n, manifest.LeafHash(entry), hashesIn(&g.hashes))
			if err != nil {
				t.Fatal(err)
			}
			entries, g.hashes = append(entries, entry), append(g.hashes, more...)
			sum := hex.EncodeToString(entry[:])
			g.ledger.rows = append(g.ledger.rows, store.LogRow{Index: n, SHA256: sum, Kind: "record", Key: fmt.Sprintf("record %d", n), Known: true, SHA256There: sum})
		}
		g.seal(entries, before, size)
		before = size
	}
	return g
}

func (g *grownLog) seal(entries []manifest.Entry, before, size int64) {
	g.t.Helper()
	var err error
	for _, tile := range manifest.NewTiles(before, size) {
		var body []byte
		if tile.L == manifest.EntryLevel {
			body = manifest.EncodeEntries(entries[tile.N*256 : tile.N*256+int64(tile.W)])
		} else if body, err = tlog.ReadTileData(tile, hashesIn(&g.hashes)); err != nil {
			g.t.Fatal(err)
		}
		g.files[g.layout.Tile(tile)] = body
	}
	root, err := tlog.TreeHash(size, hashesIn(&g.hashes))
	if err != nil {
		g.t.Fatal(err)
	}
	if g.heads[size], err = (manifest.Checkpoint{Origin: origin, Size: size, Root: root}).Sign(g.key.Signer()); err != nil {
		g.t.Fatal(err)
	}
	g.files[g.layout.Checkpoint()] = g.heads[size]
	g.ledger.state = store.LogState{Head: store.LogHead{Size: size, Root: base64.StdEncoding.EncodeToString(root[:])}, Entries: size}
}

// verify verifies the log as it stands in files.
func (g *grownLog) verify(key note.Verifier) verify.Report {
	g.t.Helper()
	objects := storetest.NewMemoryBucket(g.t, store.Location{Bucket: "b"})
	for name, body := range g.files {
		if _, _, err := objects.Put(g.t.Context(), store.PutRequest{Key: name, Body: bytes.NewReader(body), Size: int64(len(body)), SHA256: sha256.Sum256(body)}); err != nil {
			g.t.Fatal(err)
		}
	}
	v := &verify.Verifier{
		Options: verify.Options{Mode: store.VerifyDefault, Sample: 100, Parallel: 4},
		Ledger:  g.ledger, Bucket: objects, Layout: g.layout, LogKey: key,
		Identity: store.ArchiveIdentity{Origin: origin},
	}
	report, err := v.Verify(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	return report
}

func TestLogsOfAllSizesAreClean(t *testing.T) {
	t.Parallel()
	for _, sizes := range [][]int64{{1}, {255}, {256}, {257}, {3, 200, 256, 300, 511, 512, 513}, {1000, 66_000, 66_001}} {
		t.Run(fmt.Sprint(sizes), func(t *testing.T) {
			t.Parallel()
			g := growLog(t, sizes...)
			report := g.verify(g.key.Verifier())
			clean(t, report)
			last := sizes[len(sizes)-1]
			if report.Log == nil || report.Log.Size != last || report.Log.Root != g.ledger.state.Head.Root || report.Log.Signature != "valid" || report.Counts.LogEntries != last {
				t.Errorf("log %+v, counts %+v", report.Log, report.Counts)
			}
		})
	}
}

// Each part of the log is changed in each way, on its own.
func TestLogTamperings(t *testing.T) {
	t.Parallel()
	g := growLog(t, 100, 300, 700)
	other := growLog(t, 700) // another key
	checkpoint := g.layout.Checkpoint()
	parts := map[string]string{
		"a whole tile":          "vlens/log/tile/0/000",
		"the last tile":         "vlens/log/tile/0/002.p/188",
		"the upper tile":        "vlens/log/tile/1/000.p/2",
		"an earlier tile":       "vlens/log/tile/0/000.p/100",
		"an earlier upper tile": "vlens/log/tile/1/000.p/1",
		"a whole bundle":        "vlens/log/tile/entries/001",
		"the last bundle":       "vlens/log/tile/entries/002.p/188",
		"an earlier bundle":     "vlens/log/tile/entries/001.p/44",
	}
	type change struct {
		name  string
		key   string
		sorts []verify.Sort
		do    func(g *grownLog)
	}
	var changes []change
	for part, key := range parts {
		if g.files[key] == nil {
			t.Fatalf("%s %q is not there: %v", part, key, slices.Sorted(maps.Keys(g.files)))
		}
		body := g.files[key]
		changes = append(changes,
			change{part + ": a bit is flipped", key, sorts(verify.LogChanged), func(g *grownLog) {
				g.files[key] = slices.Clone(body)
				g.files[key][len(body)-1] ^= 1
			}},
			change{part + ": it is cut", key, sorts(verify.Truncated), func(g *grownLog) { g.files[key] = body[:len(body)-1] }},
			change{part + ": bytes are added", key, sorts(verify.LogChanged), func(g *grownLog) { g.files[key] = append(slices.Clone(body), body[:32]...) }},
		)
		if !strings.Contains(part, "earlier") { // the protocol lets those go
			changes = append(changes, change{part + ": it is deleted", key, sorts(verify.LogMissing), func(g *grownLog) { delete(g.files, key) }})
		}
	}
	swapped := func(body []byte, size int) []byte {
		body = slices.Clone(body)
		copy(body, slices.Concat(body[size:2*size], body[:size]))
		return body
	}
	bundle, tile := parts["a whole bundle"], parts["a whole tile"]
	changes = append(changes, []change{
		{"entries are reordered", bundle, sorts(verify.LogReordered), func(g *grownLog) { g.files[bundle] = swapped(g.files[bundle], 34) }},
		{"hashes of a tile are reordered", tile, sorts(verify.LogChanged), func(g *grownLog) { g.files[tile] = swapped(g.files[tile], 32) }},
		{"two bundles are swapped", bundle, sorts(verify.LogChanged), func(g *grownLog) {
			g.files[bundle], g.files["vlens/log/tile/entries/000"] = g.files["vlens/log/tile/entries/000"], g.files[bundle]
		}},
		{"a foreign object", "vlens/log/tile/0/notes", sorts(verify.Unexpected), func(g *grownLog) { g.files["vlens/log/tile/0/notes"] = []byte("x") }},
		{"a tile of a longer log", "vlens/log/tile/0/007", sorts(verify.Unexpected), func(g *grownLog) { g.files["vlens/log/tile/0/007"] = g.files[tile] }},

		{"the checkpoint is deleted", checkpoint, sorts(verify.Missing), func(g *grownLog) { delete(g.files, checkpoint) }},
		{"the checkpoint is rolled back", checkpoint, sorts(verify.RolledBack), func(g *grownLog) { g.files[checkpoint] = g.heads[300] }},
		{"the checkpoint is cut", checkpoint, sorts(verify.Changed, verify.Unsigned), func(g *grownLog) { g.files[checkpoint] = g.files[checkpoint][:40] }},
		{"the checkpoint is emptied", checkpoint, sorts(verify.Changed), func(g *grownLog) { g.files[checkpoint] = nil }},
		{"the size in the checkpoint is edited", checkpoint, sorts(verify.Unsigned), func(g *grownLog) {
			g.files[checkpoint] = bytes.Replace(g.files[checkpoint], []byte("\n700\n"), []byte("\n512\n"), 1)
		}},
		{"the checkpoint is signed by another key", checkpoint, sorts(verify.Unsigned), func(g *grownLog) { g.files[checkpoint] = other.heads[700] }},
		{"the signature is removed", checkpoint, sorts(verify.Unsigned), func(g *grownLog) {
			text, _, _ := bytes.Cut(g.files[checkpoint], []byte("\n\n"))
			g.files[checkpoint] = append(text, "\n\n"...)
		}},
		{"a whole log of another history", checkpoint, sorts(verify.RolledBack), func(g *grownLog) {
			forged := *g
			forged.files = make(map[string][]byte)
			entries := make([]manifest.Entry, 700)
			forged.hashes = nil
			for n := range entries {
				entries[n] = sha256.Sum256(fmt.Appendf(nil, "forged %d", n))
				more, err := tlog.StoredHashesForRecordHash(int64(n), manifest.LeafHash(entries[n]), hashesIn(&forged.hashes))
				if err != nil {
					t.Fatal(err)
				}
				forged.hashes = append(forged.hashes, more...)
			}
			forged.heads = make(map[int64][]byte)
			forged.seal(entries, 0, 700)
			g.files = forged.files
		}},

		{"the ledger's hash of an entry", "record 400", sorts(verify.LedgerDiffers), func(g *grownLog) {
			g.ledger.rows[400].SHA256 = strings.Repeat("0", 64)
		}},
		{"the ledger's entries are exchanged", "record 11", sorts(verify.LedgerDiffers), func(g *grownLog) {
			a, b := &g.ledger.rows[10], &g.ledger.rows[11]
			a.Index, b.Index = b.Index, a.Index
			*a, *b = *b, *a
		}},
		{"the ledger lacks an entry", bundle, sorts(verify.LedgerMissing), func(g *grownLog) { g.ledger.rows = slices.Delete(g.ledger.rows, 400, 401) }},
		{"the ledger lacks its last entry", "vlens/log/tile/entries/002.p/188", sorts(verify.LedgerMissing), func(g *grownLog) { g.ledger.rows = g.ledger.rows[:699] }},
		{"the ledger lacks the record of an entry", "record 5", sorts(verify.LedgerMissing), func(g *grownLog) { g.ledger.rows[5].Known = false }},
		{"the ledger's root", checkpoint, sorts(verify.RolledBack), func(g *grownLog) {
			g.ledger.state.Head.Root = base64.StdEncoding.EncodeToString(make([]byte, 32))
		}},
	}...)
	for _, test := range changes {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tampered := *g
			tampered.t = t
			tampered.files = make(map[string][]byte)
			for key, body := range g.files {
				tampered.files[key] = body
			}
			tampered.ledger.rows = slices.Clone(g.ledger.rows)
			test.do(&tampered)
			report := tampered.verify(g.key.Verifier())
			if !slices.ContainsFunc(test.sorts, func(sort verify.Sort) bool { return has(report, sort, test.key) }) || report.Verdict != verify.Damage {
				t.Errorf("%v of %q is not found; findings: %+v", test.sorts, test.key, report.Findings)
			}
			if len(report.Findings) > 2 {
				t.Errorf("something else is blamed too: %+v", report.Findings[:3])
			}
		})
	}
}

func TestLogWithoutAKey(t *testing.T) {
	t.Parallel()
	g := growLog(t, 5)
	report := g.verify(nil)
	clean(t, report, verify.SignatureUnchecked)
	if report.Verdict != verify.Warnings || report.Log.Signature != "unchecked" {
		t.Errorf("%s, %+v", report.Verdict, report.Log)
	}
}

// A seal that died has left tiles, or has published a checkpoint that the ledger
// does not know yet.
func TestSealsThatDied(t *testing.T) {
	t.Parallel()
	g := growLog(t, 100, 300)
	head := g.ledger.state.Head
	before := g.heads[100]

	g.ledger.state = store.LogState{Head: store.LogHead{Size: 100, Root: rootOf(t, before)}, Entries: 300}
	clean(t, g.verify(g.key.Verifier())) // published, not noted

	g.files[g.layout.Checkpoint()] = before
	report := g.verify(g.key.Verifier()) // tiles, not published
	clean(t, report)
	if report.Log.Size != 100 {
		t.Errorf("%+v", report.Log)
	}

	g.ledger.state.Head = head
	if report := g.verify(g.key.Verifier()); !has(report, verify.RolledBack, g.layout.Checkpoint()) {
		t.Errorf("%+v", report.Findings)
	}
}

func rootOf(t *testing.T, checkpoint []byte) string {
	t.Helper()
	lines := strings.Split(string(checkpoint), "\n")
	return lines[2]
}

func hashesIn(hashes *[]tlog.Hash) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for n, index := range indexes {
			found[n] = (*hashes)[index]
		}
		return found, nil
	}
}
