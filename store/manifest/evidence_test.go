package manifest_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// The worked example of docs/evidence.md, recomputed: every value that the page
// shows must be what the format gives.
func TestWorkedExampleOfTheEvidencePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/evidence.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := func(what, value string) {
		t.Helper()
		if !strings.Contains(string(page), value) {
			t.Errorf("the page does not show %s:\n%s", what, value)
		}
	}
	key, err := manifest.ParseSigningKey(store.Sensitive("PRIVATE+KEY+acme.example/vlens-archive+0a4d29fc+ARPcIViyRAjezxUMh6NfwIq5X3x7Mm6JqJBHD7B0oxyy"))
	if err != nil {
		t.Fatal(err)
	}
	shown("the verifier key", key.VerifierKey())

	record, sums := sha256.Sum256([]byte("a record\n")), sha256.Sum256([]byte("a SHA256SUMS\n"))
	first, second := manifest.LeafHash(record), manifest.LeafHash(sums)
	root := tlog.NodeHash(first, second)
	shown("entry 0", fmt.Sprintf("%x", record))
	shown("entry 1", fmt.Sprintf("%x", sums))
	shown("the bundle", fmt.Sprintf("0020 %x\n0020 %x", record, sums))
	if got := fmt.Sprintf("%x", manifest.EncodeEntries([]manifest.Entry{record, sums})); got != fmt.Sprintf("0020%x0020%x", record, sums) {
		t.Errorf("the bundle is %s", got)
	}
	shown("the tile", fmt.Sprintf("%x\n%x", first[:], second[:]))
	shown("the root", fmt.Sprintf("%x", root[:]))
	checkpoint, err := manifest.Checkpoint{Origin: key.Origin(), Size: 2, Root: root}.Sign(key.Signer())
	if err != nil {
		t.Fatal(err)
	}
	shown("the checkpoint", string(checkpoint))
	layout := manifest.Layout{}
	for _, tile := range manifest.NewTiles(0, 2) {
		shown("a path", layout.Tile(tile))
	}
}
