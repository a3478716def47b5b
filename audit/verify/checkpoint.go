package verify

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

// head is the state of the log that a checkpoint states.
type head struct {
	size int64
	root tlog.Hash
}

// readCheckpoint reads origin, size and root of a signed note
// (c2sp.org/tlog-checkpoint). With a key it also makes sure of the signature;
// unsigned says what is wrong with that. problem is set for what is no
// checkpoint at all.
func (v *Verifier) readCheckpoint(body []byte) (h head, unsigned, problem string) {
	text, _, signed := bytes.Cut(body, []byte("\n\n"))
	lines := strings.Split(string(text), "\n")
	if !signed || len(lines) < 3 {
		return head{}, "", "it is no signed checkpoint"
	}
	size, sizeErr := strconv.ParseInt(lines[1], 10, 64)
	root, rootErr := base64.StdEncoding.DecodeString(lines[2])
	if sizeErr != nil || size < 0 || rootErr != nil || len(root) != tlog.HashSize {
		return head{}, "", "it states no size and root"
	}
	h = head{size, tlog.Hash(root)}
	if lines[0] != v.Identity.Origin {
		return h, fmt.Sprintf("its origin is %q, evidence.origin is %q", lines[0], v.Identity.Origin), ""
	}
	if v.LogKey == nil {
		return h, "", ""
	}
	if _, err := note.Open(body, note.VerifierList(v.LogKey)); err != nil {
		return h, err.Error(), ""
	}
	return h, "", ""
}

// publishedCheckpoint reads the log's checkpoint as it is now. The ledger must
// have been read before: a checkpoint is noted there after it was published.
func (v *Verifier) publishedCheckpoint(ctx context.Context, listed audit.Versions) ([]byte, error) {
	body, err := v.read(ctx, v.Layout.Checkpoint(), "")
	if !errors.Is(err, store.ErrNotFound) {
		return body, err
	}
	version, there := listed.Latest()
	if !there {
		return nil, store.ErrNotFound
	}
	v.found.add(Finding{Hidden, v.Layout.Checkpoint(), cover(listed, version)})
	return v.read(ctx, v.Layout.Checkpoint(), version.VersionID)
}

// checkCopy compares the checkpoint beside the files of a run with the log. It
// covers the entry of the run.
func (v *Verifier) checkCopy(ctx context.Context, key string, body []byte, entry int64) error {
	h, unsigned, problem := v.readCheckpoint(body)
	switch {
	case problem != "":
		v.found.add(Finding{Changed, key, problem})
		return nil
	case unsigned != "":
		v.found.add(Finding{Unsigned, key, unsigned})
		return nil
	case v.tree == nil:
		return nil // that the log cannot be relied on is a finding already
	case h.size > v.tree.size:
		v.found.add(Finding{RolledBack, v.Layout.Checkpoint(), fmt.Sprintf("it has %d entries, %q has %d", v.tree.size, key, h.size)})
		return nil
	case entry >= h.size:
		v.found.add(Finding{Changed, key, fmt.Sprintf("it covers %d entries, and the run's is entry %d", h.size, entry)})
	}
	root, err := v.tree.rootAt(ctx, v, h.size)
	if err != nil {
		return err
	}
	if root != h.root {
		v.found.add(Finding{RolledBack, key, fmt.Sprintf("the log has another root at %d entries", h.size)})
	}
	return nil
}
