package manifest_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/tessera/api"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

func TestKeysOfTheLog(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 1, 30, 0, 0, time.FixedZone("Cairo", 2*3600))
	tile := func(level int, n int64, width int) tlog.Tile { return tlog.Tile{H: 8, L: level, N: n, W: width} }
	for _, c := range []struct{ prefix, want string }{{"vlens", "vlens/"}, {"", ""}} {
		l := manifest.Layout{Prefix: c.prefix}
		for _, k := range []struct{ got, want string }{
			{l.Checkpoint(), "log/checkpoint"},
			{l.Tile(tile(0, 0, 256)), "log/tile/0/000"},
			{l.Tile(tile(1, 1234067, 8)), "log/tile/1/x001/x234/067.p/8"},
			{l.Tile(tile(manifest.EntryLevel, 1234067, 256)), "log/tile/entries/x001/x234/067"},
			{l.Tile(tile(manifest.EntryLevel, 5, 255)), "log/tile/entries/005.p/255"},
			{l.Audit(at, "export-1"), "audit/2026/01/01/export-1.json"},
		} {
			if k.got != c.want+k.want {
				t.Errorf("prefix %q: %q, want %q", c.prefix, k.got, c.want+k.want)
			}
		}
	}
}

func entries(n int) []manifest.Entry {
	made := make([]manifest.Entry, n)
	for i := range made {
		made[i] = sha256.Sum256(fmt.Appendf(nil, "record %d", i))
	}
	return made
}

// What is written is what another implementation of the format reads.
func TestEntryBundlesReadBack(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 17, 256} {
		want := entries(n)
		body := manifest.EncodeEntries(want)
		var theirs api.EntryBundle
		if err := theirs.UnmarshalText(body); err != nil || len(theirs.Entries) != n {
			t.Fatalf("%d entries: they read %d: %v", n, len(theirs.Entries), err)
		}
		ours, err := manifest.DecodeEntries(body)
		if err != nil || len(ours) != n {
			t.Fatalf("%d entries: %d are read: %v", n, len(ours), err)
		}
		for i := range want {
			if ours[i] != want[i] || !bytes.Equal(theirs.Entries[i], want[i][:]) {
				t.Errorf("entry %d of %d is another one", i, n)
			}
		}
	}
}

func TestDecodeEntriesRefuses(t *testing.T) {
	t.Parallel()
	good := manifest.EncodeEntries(entries(2))
	long := bytes.Clone(good)
	long[1] = 33
	for name, body := range map[string][]byte{
		"a cut bundle":    good[:len(good)-1],
		"another length":  long,
		"257 entries":     manifest.EncodeEntries(entries(257)),
		"a byte too many": append(bytes.Clone(good), 0),
	} {
		if _, err := manifest.DecodeEntries(body); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func TestNewTilesNameEachBundleBesideItsTile(t *testing.T) {
	t.Parallel()
	l := manifest.Layout{}
	var got []string
	for _, tile := range manifest.NewTiles(255, 513) {
		got = append(got, strings.TrimPrefix(l.Tile(tile), "log/tile/"))
	}
	want := "entries/000 0/000 entries/001 0/001 entries/002.p/1 0/002.p/1 1/000.p/2"
	if strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func signingKey(t *testing.T, origin string) manifest.SigningKey {
	t.Helper()
	text, err := manifest.GenerateSigningKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	key, err := manifest.ParseSigningKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

const origin = "acme.example/vlens-archive"

func TestCheckpointReadsBack(t *testing.T) {
	t.Parallel()
	key := signingKey(t, origin)
	want := manifest.Checkpoint{Origin: origin, Size: 42, Root: tlog.RecordHash([]byte("root"))}
	body, err := want.Sign(key.Signer())
	if err != nil {
		t.Fatal(err)
	}
	again, err := want.Sign(key.Signer())
	if err != nil || !bytes.Equal(again, body) {
		t.Errorf("signed again it is\n%s, was\n%s (%v)", again, body, err)
	}
	if !strings.HasPrefix(string(body), origin+"\n42\n"+want.Root.String()+"\n\n— "+origin+" ") {
		t.Errorf("it reads\n%s", body)
	}
	got, err := manifest.OpenCheckpoint(body, key.Verifier())
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	// The printed verifier key is all that somebody else needs.
	verifier, err := note.NewVerifier(key.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(body, note.VerifierList(verifier)); err != nil {
		t.Error(err)
	}
}

func TestOpenCheckpointRefuses(t *testing.T) {
	t.Parallel()
	key := signingKey(t, origin)
	root := tlog.RecordHash(nil).String()
	sign := func(key manifest.SigningKey, text string) []byte {
		body, err := note.Sign(&note.Note{Text: text}, key.Signer())
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	good := sign(key, origin+"\n7\n"+root+"\n")
	if _, err := manifest.OpenCheckpoint(good, key.Verifier()); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{
		"nothing":          nil,
		"another key":      sign(signingKey(t, origin), origin+"\n7\n"+root+"\n"),
		"another size":     bytes.Replace(good, []byte("\n7\n"), []byte("\n8\n"), 1),
		"another origin":   sign(key, "acme.example/other\n7\n"+root+"\n"),
		"a leading zero":   sign(key, origin+"\n07\n"+root+"\n"),
		"a negative size":  sign(key, origin+"\n-7\n"+root+"\n"),
		"a short root":     sign(key, origin+"\n7\nAAAA\n"),
		"a line too many":  sign(key, origin+"\n7\n"+root+"\nmore\n"),
		"no signature":     []byte(origin + "\n7\n" + root + "\n"),
		"a cut checkpoint": good[:len(good)-3],
	} {
		if got, err := manifest.OpenCheckpoint(body, key.Verifier()); !errors.Is(err, manifest.ErrCheckpoint) {
			t.Errorf("%s is read as %+v, %v", name, got, err)
		}
	}
}

func TestParseSigningKey(t *testing.T) {
	t.Parallel()
	text, err := manifest.GenerateSigningKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	key, err := manifest.ParseSigningKey(text)
	if err != nil {
		t.Fatal(err)
	}
	if key.Origin() != origin || !strings.HasPrefix(key.VerifierKey(), origin+"+") {
		t.Errorf("it is for %q, verified by %q", key.Origin(), key.VerifierKey())
	}
	for name, bad := range map[string]string{
		"nothing":        "",
		"a verifier key": key.VerifierKey(),
		"a cut key":      text.Reveal()[:len(text.Reveal())-4],
		"another origin": strings.Replace(text.Reveal(), "acme", "acne", 1), // the key id is over the name
	} {
		_, err := manifest.ParseSigningKey(store.Sensitive(bad))
		if !errors.Is(err, manifest.ErrSigningKey) {
			t.Errorf("%s: %v", name, err)
		} else if bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%s: the error shows the key", name)
		}
	}
	if _, err := manifest.GenerateSigningKey("with space"); err == nil {
		t.Error("a key is made for an origin with a space")
	}
	if (manifest.SigningKey{}).IsZero() == key.IsZero() {
		t.Error("a key is like none")
	}
}

// Whoever has no verifier key takes a checkpoint on trust, but not one that has lost
// its signatures.
func TestReadUnverified(t *testing.T) {
	t.Parallel()
	signed, err := manifest.Checkpoint{Origin: "acme.example/log", Size: 1}.Sign(signingKey(t, "acme.example/log").Signer())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := manifest.ReadUnverified(signed); err != nil {
		t.Errorf("signed: %v", err)
	}
	text, _, _ := strings.Cut(string(signed), "\n\n")
	for name, body := range map[string]string{
		"no signature":       text + "\n\n",
		"garbled signature":  text + "\n\n— acme.example/log ?\n",
		"no end of the text": text + "\n",
	} {
		if _, err := manifest.ReadUnverified([]byte(body)); !errors.Is(err, manifest.ErrCheckpoint) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
