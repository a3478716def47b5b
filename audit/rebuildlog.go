package audit

import (
	"context"
	"errors"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// addLog reads the log: the checkpoint, which must be signed, and the entries,
// which must lead to its root.
func (r *Rebuilder) addLog(ctx context.Context) error {
	head, etag, err := r.readCheckpoint(ctx)
	if err != nil || head.Size == 0 {
		return err
	}
	var tree frontier
	var bundle []manifest.Entry
	for n := int64(0); tree.size < head.Size; n++ {
		width := int(min(manifest.TileWidth, head.Size-tree.size))
		if bundle, err = r.readBundle(ctx, n, width); err != nil {
			return err
		}
		for _, entry := range bundle {
			tree.add(manifest.LeafHash(entry))
		}
		if err := r.flushEntries(ctx, n*manifest.TileWidth, bundle); err != nil {
			return err
		}
	}
	if root := tree.root(); root != head.Root {
		return damaged(r.Layout.Log()+"tile/entries/", "its %d entries lead to the root %s, the checkpoint states %s", head.Size, root, head.Root)
	}
	if err := r.Ledger.SetHead(ctx, store.LogHead{Size: head.Size, Root: head.Root.String(), ETag: etag}); err != nil {
		return err
	}
	return r.addUnpublished(ctx, head.Size, bundle)
}

func (r *Rebuilder) readCheckpoint(ctx context.Context) (manifest.Checkpoint, string, error) {
	key := r.Layout.Checkpoint()
	body, etag, err := readVersion(ctx, r.Bucket, key, "")
	if errors.Is(err, store.ErrNotFound) {
		return manifest.Checkpoint{}, "", nil
	}
	if err != nil {
		return manifest.Checkpoint{}, "", err
	}
	verifier, err := r.verifier()
	if err != nil {
		return manifest.Checkpoint{}, "", err
	}
	head, err := manifest.OpenCheckpoint(body, verifier)
	if err != nil {
		return manifest.Checkpoint{}, "", damaged(key, "%v", err)
	}
	return head, etag, nil
}

// addUnpublished adds the entries that a sealing process had put into the bucket
// before it could publish them. They have their indexes, and their bundles can
// never be written anew, so the next seal must find the same ones.
func (r *Rebuilder) addUnpublished(ctx context.Context, size int64, last []manifest.Entry) error {
	there := make(map[string]bool)
	for object, err := range r.Bucket.ListVersions(ctx, r.Layout.Tiles()+"entries/") {
		if err != nil {
			return err
		}
		there[object.Key] = !object.DeleteMarker
	}
	for n := size / manifest.TileWidth; ; n++ {
		known := last
		if size%manifest.TileWidth == 0 || n > size/manifest.TileWidth {
			known = nil
		}
		width := manifest.TileWidth
		for width > len(known) && !there[r.Layout.Tile(bundleTile(n, width))] {
			width--
		}
		if width <= len(known) {
			return nil
		}
		bundle, err := r.readBundle(ctx, n, width)
		if err != nil {
			return err
		}
		for place, entry := range known {
			if bundle[place] != entry {
				return damaged(r.Layout.Tile(bundleTile(n, width)), "entry %d is another one than the checkpoint covers", n*manifest.TileWidth+int64(place))
			}
		}
		if err := r.flushEntries(ctx, n*manifest.TileWidth+int64(len(known)), bundle[len(known):]); err != nil {
			return err
		}
		if width < manifest.TileWidth {
			return nil
		}
	}
}

func (r *Rebuilder) flushEntries(ctx context.Context, from int64, entries []manifest.Entry) error {
	r.progress.entries.Add(int64(len(entries)))
	return r.Ledger.AddEntries(ctx, from, entries)
}

func (r *Rebuilder) readBundle(ctx context.Context, n int64, width int) ([]manifest.Entry, error) {
	key := r.Layout.Tile(bundleTile(n, width))
	body, err := readSmall(ctx, r.Bucket, key, "")
	if errors.Is(err, store.ErrNotFound) && width < manifest.TileWidth {
		// The log has grown since, and the whole bundle may be all that is left.
		key = r.Layout.Tile(bundleTile(n, manifest.TileWidth))
		body, err = readSmall(ctx, r.Bucket, key, "")
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, damaged(key, "it is missing")
	}
	if err != nil {
		return nil, err
	}
	entries, err := manifest.DecodeEntries(body)
	if err != nil {
		return nil, damaged(key, "%v", err)
	}
	if len(entries) < width {
		return nil, damaged(key, "it has %d entries, not %d", len(entries), width)
	}
	return entries[:width], nil
}

func bundleTile(n int64, width int) tlog.Tile {
	return tlog.Tile{H: manifest.TileHeight, L: manifest.EntryLevel, N: n, W: width}
}

// frontier is a Merkle tree of which only the roots of its whole subtrees are
// kept, the largest first: all that a root needs (RFC 6962, section 2.1).
type frontier struct {
	size  int64
	roots []tlog.Hash
}

func (f *frontier) add(leaf tlog.Hash) {
	f.roots = append(f.roots, leaf)
	f.size++
	for n := f.size; n&1 == 0; n >>= 1 {
		last := len(f.roots) - 2
		f.roots = append(f.roots[:last], tlog.NodeHash(f.roots[last], f.roots[last+1]))
	}
}

func (f *frontier) root() tlog.Hash {
	root := f.roots[len(f.roots)-1]
	for n := len(f.roots) - 2; n >= 0; n-- {
		root = tlog.NodeHash(f.roots[n], root)
	}
	return root
}
