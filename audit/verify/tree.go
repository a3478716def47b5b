package verify

import (
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/audit"
	"vlens-archiver/store/manifest"
)

// tiledTree is a tree that grows entry by entry, with its tiles. It holds the
// tile of each level that is not whole yet.
type tiledTree struct {
	audit.Tree
	levels []tileLevel
	// emit gets each tile once it is whole.
	emit func(level int, n int64, hashes []tlog.Hash) error
}

// tileLevel is the tile at the right edge of a level.
type tileLevel struct {
	n      int64 // whole tiles before it
	hashes []tlog.Hash
}

func (t *tiledTree) add(entry manifest.Entry) error {
	for height, hash := range t.Add(entry) {
		if height%manifest.TileHeight != 0 {
			continue // inside a tile
		}
		level := height / manifest.TileHeight
		if level == len(t.levels) {
			t.levels = append(t.levels, tileLevel{hashes: make([]tlog.Hash, 0, manifest.TileWidth)})
		}
		tile := &t.levels[level]
		tile.hashes = append(tile.hashes, hash)
		if len(tile.hashes) < manifest.TileWidth {
			continue
		}
		if err := t.emit(level, tile.n, tile.hashes); err != nil {
			return err
		}
		tile.n, tile.hashes = tile.n+1, tile.hashes[:0]
	}
	return nil
}

// finish emits the tiles at the right edge, which are not whole.
func (t *tiledTree) finish() error {
	for level, tile := range t.levels {
		if len(tile.hashes) == 0 {
			continue
		}
		if err := t.emit(level, tile.n, tile.hashes); err != nil {
			return err
		}
	}
	return nil
}
