package audit

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store/manifest"
)

// tree computes the hashes of a log from its entries, one after the other. It
// holds the last tile of each level and nothing else.
type tree struct {
	size  int64
	tiles [][]tlog.Hash // by level: the hashes of the tile that is being filled
	done  []int64       // by level: whole tiles so far
	// emit gets each tile once it is whole.
	emit func(level int, n int64, hashes []tlog.Hash) error
}

// add appends an entry.
func (t *tree) add(entry []byte) error {
	t.size++
	return t.push(0, tlog.RecordHash(entry))
}

func (t *tree) push(level int, hash tlog.Hash) error {
	if level == len(t.tiles) {
		t.tiles = append(t.tiles, make([]tlog.Hash, 0, manifest.TileWidth))
		t.done = append(t.done, 0)
	}
	t.tiles[level] = append(t.tiles[level], hash)
	if len(t.tiles[level]) < manifest.TileWidth {
		return nil
	}
	whole := t.tiles[level]
	if err := t.emit(level, t.done[level], whole); err != nil {
		return err
	}
	up := perfect(whole)
	t.tiles[level] = whole[:0]
	t.done[level]++
	return t.push(level+1, up)
}

// finish emits the tiles at the right edge, which are not whole.
func (t *tree) finish() error {
	for level, hashes := range t.tiles {
		if len(hashes) == 0 {
			continue
		}
		if err := t.emit(level, t.done[level], hashes); err != nil {
			return err
		}
	}
	return nil
}

// root is the root hash over the entries so far (RFC 6962, section 2.1).
func (t *tree) root() tlog.Hash {
	var edge []tlog.Hash // perfect subtrees, the largest first
	for level := len(t.tiles) - 1; level >= 0; level-- {
		for hashes := t.tiles[level]; len(hashes) > 0; {
			n := 1 << (bits.Len(uint(len(hashes))) - 1)
			edge = append(edge, perfect(hashes[:n]))
			hashes = hashes[n:]
		}
	}
	if len(edge) == 0 {
		root, _ := tlog.TreeHash(0, nil) // reads nothing
		return root
	}
	root := edge[len(edge)-1]
	for n := len(edge) - 2; n >= 0; n-- {
		root = tlog.NodeHash(edge[n], root)
	}
	return root
}

// perfect is the root over a power of two of hashes.
func perfect(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(perfect(hashes[:half]), perfect(hashes[half:]))
}
