package verify

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/audit"
)

// logTree is a log whose tiles were found to be those of its root.
type logTree struct {
	size int64
	root tlog.Hash
}

// rootAt is the root that the log had at a size.
func (t *logTree) rootAt(ctx context.Context, v *Verifier, size int64) (tlog.Hash, error) {
	if size == 0 || size == t.size {
		if size == 0 {
			return tlog.TreeHash(0, nil)
		}
		return t.root, nil
	}
	tiles := audit.TileHashes(tlog.Tree{N: t.size, Hash: t.root}, v.Layout, func(key string) ([]byte, error) {
		return v.read(ctx, key, "")
	})
	root, err := tlog.TreeHash(size, tiles)
	if err != nil {
		return root, fmt.Errorf("compute the root at %d entries: %w", size, err)
	}
	return root, nil
}
