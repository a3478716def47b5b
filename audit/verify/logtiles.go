package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// parseTile reads the key of a tile or bundle and reports whether it is one.
// Package tlog has the height in its paths too, and another name for entries.
func (v *Verifier) parseTile(key string) (tlog.Tile, bool) {
	path := fmt.Sprintf("tile/%d/%s", manifest.TileHeight, strings.TrimPrefix(key, v.Layout.Tiles()))
	tile, err := tlog.ParseTilePath(strings.Replace(path, "/entries/", "/data/", 1))
	return tile, err == nil && v.Layout.Tile(tile) == key
}

// until is the size that a log needs to have this tile.
func until(t tlog.Tile) int64 { return (t.N*manifest.TileWidth + int64(t.W)) << (8 * max(t.L, 0)) }

// current is the tile in the same place of a log of this size.
func current(t tlog.Tile, size int64) tlog.Tile {
	t.W = int(min(manifest.TileWidth, size>>(8*max(t.L, 0))-t.N*manifest.TileWidth))
	return t
}

// checkTiles looks at every object of the log that stands in the bucket: at what
// covers it, and whether the log may have it. The tiles that were not whole once
// stay for ever, and must be the beginnings of those that are there now.
func (v *Verifier) checkTiles(ctx context.Context, l *listing, size int64) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(v.Parallel)
	for {
		o, more, err := l.take(v.Layout.Log())
		if err != nil || !more {
			return errors.Join(err, group.Wait())
		}
		version, there := v.onlyVersion(o)
		if !there {
			continue // the walk through the log misses it, if it is needed
		}
		switch tile, ours := v.parseTile(o.Key); {
		case !ours:
			v.found.add(Finding{Unexpected, o.Key, "the log has no such object"})
		case until(tile) > size:
			group.Go(func() error { return v.checkAhead(ctx, o.Key, tile) })
		case tile.W < current(tile, size).W: // the walk through the log reads the others
			group.Go(func() error { return v.checkOldTile(ctx, version, tile, current(tile, size)) })
		}
	}
}

// checkAhead looks at a tile beyond the published log: a seal that is at work,
// or that died, has left it, if the ledger has that many entries.
func (v *Verifier) checkAhead(ctx context.Context, key string, tile tlog.Tile) error {
	state, err := v.Ledger.LogState(ctx)
	if err == nil && until(tile) > state.Entries {
		v.found.add(Finding{Unexpected, key, fmt.Sprintf("it is of a log with %d entries, the ledger has %d", until(tile), state.Entries)})
	}
	return err
}

// checkOldTile compares an earlier state of a tile with the tile as it is now.
func (v *Verifier) checkOldTile(ctx context.Context, version store.Object, old, now tlog.Tile) error {
	if v.badParts[v.Layout.Tile(now)] {
		return nil // and this one may be right
	}
	whole, err := v.read(ctx, v.Layout.Tile(now), "")
	if errors.Is(err, store.ErrNotFound) {
		return nil // a finding already
	}
	if err != nil {
		return err
	}
	body, err := v.read(ctx, version.Key, version.VersionID)
	if errors.Is(err, store.ErrNotFound) {
		v.found.add(Finding{LogMissing, version.Key, "it is listed and cannot be read"})
		return nil
	}
	if err != nil {
		return err
	}
	v.progress.objects.Add(1)
	want := whole[:min(len(whole), old.W*(len(whole)/now.W))]
	switch {
	case bytes.Equal(body, want):
	case len(body) < len(want):
		v.found.add(Finding{Truncated, version.Key, fmt.Sprintf("it has %d bytes, not %d", len(body), len(want))})
	default:
		v.found.add(Finding{LogChanged, version.Key, "it is not the beginning of the tile as it is now"})
	}
	return nil
}
