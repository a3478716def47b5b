package worker

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// logTree is the tree of the evidence log. Of what is published it reads only
// the tiles it needs, which are proven by the root that is known; what was added
// since is in memory.
type logTree struct {
	size      int64 // leaves, the added ones included
	published tlog.HashReader
	tiles     *tileReader
	added     map[int64]tlog.Hash // by storage index
}

func (w *Worker) newLogTree(ctx context.Context, published tlog.Tree) *logTree {
	tiles := &tileReader{Worker: w, ctx: ctx, read: make(map[tlog.Tile][]byte)}
	return &logTree{
		size:      published.N,
		published: tlog.TileHashReader(published, tiles),
		tiles:     tiles,
		added:     make(map[int64]tlog.Hash),
	}
}

// add appends a leaf.
func (t *logTree) add(entry manifest.Entry) error {
	hashes, err := tlog.StoredHashesForRecordHash(t.size, manifest.LeafHash(entry), t)
	if err != nil {
		return t.failed(err)
	}
	first := tlog.StoredHashIndex(0, t.size)
	for i, hash := range hashes {
		t.added[first+int64(i)] = hash
	}
	t.size++
	return nil
}

// rootAt is the root hash of the tree over the first leaves.
func (t *logTree) rootAt(size int64) (tlog.Hash, error) {
	root, err := tlog.TreeHash(size, t)
	return root, t.failed(err)
}

// leaf is the hash of one leaf.
func (t *logTree) leaf(index int64) (tlog.Hash, error) {
	hashes, err := t.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
	if err != nil {
		return tlog.Hash{}, t.failed(err)
	}
	return hashes[0], nil
}

// tile is the exact bytes of a tile.
func (t *logTree) tile(tile tlog.Tile) ([]byte, error) {
	body, err := tlog.ReadTileData(tile, t)
	return body, t.failed(err)
}

// ReadHashes implements tlog.HashReader.
func (t *logTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	var published []int64
	for i, index := range indexes {
		hash, there := t.added[index]
		if !there {
			published = append(published, index)
		}
		hashes[i] = hash
	}
	if len(published) == 0 {
		return hashes, nil
	}
	read, err := t.published.ReadHashes(published)
	if err != nil {
		return nil, err
	}
	for i, index := range indexes {
		if _, there := t.added[index]; !there {
			hashes[i], read = read[0], read[1:]
		}
	}
	return hashes, nil
}

// failed tells a bucket that does not answer from a log that is damaged: what
// was read does not fit the root that is known, or is not there.
func (t *logTree) failed(err error) error {
	if err == nil || t.tiles.failure != nil && !errors.Is(t.tiles.failure, store.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%w: its tiles do not fit the last checkpoint: %w", ErrLogAlarm, err)
}

// tileReader reads tiles, each once. It implements tlog.TileReader.
type tileReader struct {
	*Worker
	ctx     context.Context // of the seal that the reader is for
	read    map[tlog.Tile][]byte
	failure error // why a tile could not be read
}

// Height implements tlog.TileReader.
func (r *tileReader) Height() int { return manifest.TileHeight }

// ReadTiles implements tlog.TileReader.
func (r *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	bodies := make([][]byte, len(tiles))
	for i, tile := range tiles {
		body, there := r.read[tile]
		if !there {
			var err error
			if body, _, err = r.readWaiting(r.ctx, r.Layout.Tile(tile)); err != nil {
				r.failure = err
				return nil, err
			}
			r.read[tile] = body
		}
		bodies[i] = body
	}
	return bodies, nil
}

// SaveTiles implements tlog.TileReader; ReadTiles keeps what it has read.
func (r *tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
