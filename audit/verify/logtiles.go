package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// tilePath is the path of a tile or entry bundle below log/ (c2sp.org/tlog-tiles).
var tilePath = regexp.MustCompile(`^tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?$`)

// parseTile reads the key of a tile or bundle and reports whether it is one.
func (v *Verifier) parseTile(key string) (tlog.Tile, bool) {
	m := tilePath.FindStringSubmatch(strings.TrimPrefix(key, v.Layout.Log()))
	if m == nil {
		return tlog.Tile{}, false
	}
	tile := tlog.Tile{H: manifest.TileHeight, L: manifest.EntryLevel, W: manifest.TileWidth}
	if m[1] != "entries" {
		tile.L, _ = strconv.Atoi(m[1])
	}
	n, err := strconv.ParseInt(strings.NewReplacer("x", "", "/", "").Replace(m[2]), 10, 64)
	if m[3] != "" {
		tile.W, _ = strconv.Atoi(m[3])
	}
	tile.N = n
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
	var last tlog.Tile
	var olds []audit.Versions // earlier, narrower states of the tile
	flush := func() {
		if tile, batch := last, olds; len(batch) > 0 {
			group.Go(func() error { return v.checkOldTiles(ctx, tile, size, batch) })
		}
		olds = nil
	}
	for {
		o, more, err := l.take(v.Layout.Log())
		if err != nil {
			return errors.Join(err, group.Wait())
		}
		if !more {
			flush()
			return group.Wait()
		}
		if _, there := v.onlyVersion(o, true); !there {
			continue // the walk through the log misses it, if it is needed
		}
		tile, ours := v.parseTile(o.Key)
		switch {
		case !ours:
			v.found.add(Finding{Unexpected, o.Key, "the log has no such object"})
			continue
		case until(tile) > size:
			if err := v.checkAhead(ctx, o.Key, tile); err != nil {
				return errors.Join(err, group.Wait())
			}
			continue
		case tile.W == current(tile, size).W:
			continue // the walk through the log reads it
		}
		if tile.L != last.L || tile.N != last.N || len(olds) == manifest.TileWidth {
			flush()
		}
		last, olds = tile, append(olds, o)
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

// checkOldTiles compares earlier states of a tile with the tile as it is now.
func (v *Verifier) checkOldTiles(ctx context.Context, tile tlog.Tile, size int64, olds []audit.Versions) error {
	now := current(tile, size)
	if v.badParts[v.Layout.Tile(now)] {
		return nil // and these may be right
	}
	whole, err := v.part(ctx, v.Layout.Tile(now))
	if err != nil || whole == nil {
		return err // that it is missing is a finding already
	}
	for _, o := range olds {
		old, _ := v.parseTile(o.Key)
		version, _ := o.First()
		body, err := v.read(ctx, o.Key, version.VersionID)
		if errors.Is(err, store.ErrNotFound) {
			v.found.add(Finding{LogMissing, o.Key, "it is listed and cannot be read"})
			continue
		}
		if err != nil {
			return err
		}
		v.progress.objects.Add(1)
		want := whole[:min(len(whole), old.W*(len(whole)/now.W))]
		switch {
		case bytes.Equal(body, want):
		case len(body) < len(want):
			v.found.add(Finding{Truncated, o.Key, fmt.Sprintf("it has %d bytes, not %d", len(body), len(want))})
		default:
			v.found.add(Finding{LogChanged, o.Key, "it is not the beginning of the tile as it is now"})
		}
	}
	return nil
}
