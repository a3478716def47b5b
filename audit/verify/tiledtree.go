package verify

import (
	"errors"

	"github.com/transparency-dev/merkle/compact"
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/audit"
	"vlens-archiver/store/manifest"
)

// tiledTree is a Merkle tree that grows entry by entry, with its tiles. It holds
// the tile of each level that is not whole yet.
type tiledTree struct {
	*compact.Range
	edge [][]tlog.Hash // by level, the hashes of the tile at the right edge
	// emit gets each tile once it is whole.
	emit func(level int, n int64, hashes []tlog.Hash) error
}

func newTiledTree(emit func(level int, n int64, hashes []tlog.Hash) error) *tiledTree {
	return &tiledTree{Range: audit.NewTree(), emit: emit}
}

func (t *tiledTree) root() tlog.Hash { return audit.RootOf(t.Range) }

func (t *tiledTree) add(entry manifest.Entry) error {
	var emitErr error
	leaf := manifest.LeafHash(entry)
	err := t.Append(leaf[:], func(node compact.NodeID, hash []byte) {
		if node.Level%manifest.TileHeight != 0 {
			return // inside a tile
		}
		level := int(node.Level / manifest.TileHeight)
		if level == len(t.edge) {
			t.edge = append(t.edge, nil)
		}
		t.edge[level] = append(t.edge[level], tlog.Hash(hash))
		if len(t.edge[level]) == manifest.TileWidth {
			emitErr = errors.Join(emitErr, t.emit(level, int64(node.Index/manifest.TileWidth), t.edge[level]))
			t.edge[level] = t.edge[level][:0]
		}
	})
	return errors.Join(err, emitErr)
}

// finish emits the tiles at the right edge, which are not whole.
func (t *tiledTree) finish() error {
	for level, hashes := range t.edge {
		if len(hashes) == 0 {
			continue
		}
		n := int64(t.End()) >> (manifest.TileHeight * (level + 1))
		if err := t.emit(level, n, hashes); err != nil {
			return err
		}
	}
	return nil
}
