package rebuild

import (
	"context"
	"errors"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// addLog reads the log: the checkpoint, which must be signed, and the entries,
// which must lead to its root.
func (r *Rebuilder) addLog(ctx context.Context) error {
	head, err := audit.ReadLogHead(ctx, r.Bucket, r.Layout, r.VerifierKey)
	switch {
	case err != nil || head.Body == nil:
		return err
	case r.VerifierKey == "":
		return ErrNoVerifierKey
	case head.Size == 0:
		return nil
	}
	tree := audit.NewTree()
	var bundle []manifest.Entry
	for n := int64(0); n*manifest.TileWidth < head.Size; n++ {
		width := int(min(manifest.TileWidth, head.Size-n*manifest.TileWidth))
		if bundle, err = r.readBundle(ctx, n, width); err != nil {
			return err
		}
		for _, entry := range bundle {
			leaf := manifest.LeafHash(entry)
			if err := tree.Append(leaf[:], nil); err != nil {
				return err
			}
		}
		if err := r.flushEntries(ctx, n*manifest.TileWidth, bundle); err != nil {
			return err
		}
	}
	if root := audit.RootOf(tree); root != head.Root {
		return audit.Damaged(r.Layout.Log()+"tile/entries/", "its %d entries lead to the root %s, the checkpoint states %s", head.Size, root, head.Root)
	}
	if err := r.Ledger.SetHead(ctx, store.LogHead{Size: head.Size, Root: head.Root.String(), ETag: head.ETag}); err != nil {
		return err
	}
	return r.addUnpublished(ctx, head.Size, bundle)
}

// addUnpublished adds the entries that a sealing process had put into the bucket
// before it could publish them. They have their indexes, and their bundles can
// never be written anew, so the next seal must find the same ones.
func (r *Rebuilder) addUnpublished(ctx context.Context, size int64, last []manifest.Entry) error {
	stored := make(map[string]bool)
	for key, err := range audit.Keys(ctx, r.Bucket, r.Layout.Tiles()+"entries/") {
		if err != nil {
			return err
		}
		_, stored[key.Key] = key.First()
	}
	for n := size / manifest.TileWidth; ; n++ {
		known := last
		if size%manifest.TileWidth == 0 || n > size/manifest.TileWidth {
			known = nil
		}
		width := manifest.TileWidth
		for width > len(known) && !stored[r.Layout.Tile(bundleTile(n, width))] {
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
				return audit.Damaged(r.Layout.Tile(bundleTile(n, width)), "entry %d is another one than the checkpoint covers", n*manifest.TileWidth+int64(place))
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
	body, _, err := audit.ReadSmall(ctx, r.Bucket, key, "")
	if errors.Is(err, store.ErrNotFound) && width < manifest.TileWidth {
		// The log has grown since, and the whole bundle may be all that is left.
		key = r.Layout.Tile(bundleTile(n, manifest.TileWidth))
		body, _, err = audit.ReadSmall(ctx, r.Bucket, key, "")
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, audit.Damaged(key, "it is missing")
	}
	if err != nil {
		return nil, err
	}
	entries, err := manifest.DecodeEntries(body)
	if err != nil {
		return nil, audit.Damaged(key, "%v", err)
	}
	if len(entries) < width {
		return nil, audit.Damaged(key, "it has %d entries, not %d", len(entries), width)
	}
	return entries[:width], nil
}

func bundleTile(n int64, width int) tlog.Tile {
	return tlog.Tile{H: manifest.TileHeight, L: manifest.EntryLevel, N: n, W: width}
}
