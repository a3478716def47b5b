package manifest

import (
	"github.com/transparency-dev/tessera/api/layout"
	"golang.org/x/mod/sumdb/tlog"
)

// Log is the prefix of the evidence log, the root of a C2SP tlog-tiles log
// (c2sp.org/tlog-tiles).
func (l Layout) Log() string { return l.key("log") + "/" }

// Checkpoint is the key of the log's signed checkpoint, the one object of an
// archive that is replaced.
func (l Layout) Checkpoint() string { return l.Log() + layout.CheckpointPath }

// Tiles is the prefix of the log's tiles and entry bundles.
func (l Layout) Tiles() string { return l.Log() + "tile/" }

// Tile is the key of a tile of the log's tree, or of the entry bundle beside it
// when the tile's level is EntryLevel.
func (l Layout) Tile(t tlog.Tile) string {
	partial := uint8(t.W % TileWidth) // 0 for a whole tile
	if t.L == EntryLevel {
		return l.Log() + layout.EntriesPath(uint64(t.N), partial)
	}
	return l.Log() + layout.TilePath(uint64(t.L), uint64(t.N), partial)
}
