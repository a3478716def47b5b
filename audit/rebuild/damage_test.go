package rebuild_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"vlens-archiver/audit"
	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/rebuild"
)

// What does not prove itself is left out by name; a log that does not prove
// itself stops the rebuild.
func TestRebuildOfADamagedArchive(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	was := r.Save()
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
			defer was.Restore()
			key := c.damage(r)
			lose(r)
			rebuilt, leftOut, err := rebuildLedger(t.Context(), r, nil)
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

// Without the key a log cannot be told from a forged one.
func TestRebuildNeedsTheVerifierKey(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	lose(r)
	if _, _, err := rebuildLedger(t.Context(), r, func(b *rebuild.Rebuilder) { b.VerifierKey = "" }); !errors.Is(err, rebuild.ErrNoVerifierKey) {
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
