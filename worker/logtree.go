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
		return err
	}
	first := tlog.StoredHashIndex(0, t.size)
	for i, hash := range hashes {
		t.added[first+int64(i)] = hash
	}
	t.size++
	return nil
}

// ReadHashes implements tlog.HashReader. Tiles that do not fit the root that is
// known, or that are not there, are an alarm; a bucket that does not answer is none.
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
	if failure := t.tiles.failure; failure != nil && !errors.Is(failure, store.ErrNotFound) {
		return nil, failure
	}
	if err != nil {
		return nil, fmt.Errorf("%w: its tiles do not fit the last checkpoint: %w", ErrLogAlarm, err)
	}
	for i, index := range indexes {
		if _, there := t.added[index]; !there {
			hashes[i], read = read[0], read[1:]
		}
	}
	return hashes, nil
}
