package verify

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// readCheckpoint reads a checkpoint. problem is set for what is none, unsigned
// for one that is not signed by the log's key, as far as it is known here.
func (v *Verifier) readCheckpoint(body []byte) (c manifest.Checkpoint, unsigned, problem error) {
	if c, problem = manifest.ReadCheckpoint(body); problem != nil {
		return c, nil, problem
	}
	if c.Origin != v.Identity.Origin {
		unsigned = fmt.Errorf("its origin is %q, evidence.origin is %q", c.Origin, v.Identity.Origin)
	} else if v.LogKey != nil {
		_, unsigned = manifest.OpenCheckpoint(body, v.LogKey)
	}
	return c, unsigned, nil
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
	c, unsigned, problem := v.readCheckpoint(body)
	switch {
	case problem != nil:
		v.found.add(Finding{Changed, key, problem.Error()})
		return nil
	case unsigned != nil:
		v.found.add(Finding{Unsigned, key, unsigned.Error()})
		return nil
	case v.tree == nil:
		return nil // that the log cannot be relied on is a finding already
	case c.Size > v.tree.N:
		v.found.add(Finding{RolledBack, v.Layout.Checkpoint(), fmt.Sprintf("it has %d entries, %q has %d", v.tree.N, key, c.Size)})
		return nil
	case entry >= c.Size:
		v.found.add(Finding{Changed, key, fmt.Sprintf("it covers %d entries, and the run's is entry %d", c.Size, entry)})
	}
	root, err := tlog.TreeHash(c.Size, audit.TileHashes(*v.tree, v.Layout, func(key string) ([]byte, error) {
		return v.read(ctx, key, "")
	}))
	if err != nil {
		return fmt.Errorf("compute the root at %d entries: %w", c.Size, err)
	}
	if root != c.Root {
		v.found.add(Finding{RolledBack, key, fmt.Sprintf("the log has another root at %d entries", c.Size)})
	}
	return nil
}
