package audit

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// logHead is the log's checkpoint; the zero value is a log that does not exist
// yet.
type logHead struct {
	manifest.Checkpoint
	body []byte
}

// prove gives each record that the checkpoint covers its proof.
func (e Exporter) prove(ctx context.Context, found *gathered) (logHead, error) {
	head, err := e.readHead(ctx)
	if err != nil || head.body == nil {
		return head, err
	}
	tiles := tlog.TileHashReader(tlog.Tree{N: head.Size, Hash: head.Root}, &tileReader{ctx: ctx, bucket: e.Bucket, layout: e.Layout})
	for n := range found.records {
		record := &found.records[n]
		if record.index < 0 || record.index >= head.Size {
			continue
		}
		proof, err := tlog.ProveRecord(head.Size, record.index, tiles)
		if err != nil {
			if errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrDenied) || ctx.Err() != nil {
				return head, err
			}
			return head, damaged(e.Layout.Tiles(), "no proof for entry %d (%q): %v", record.index, record.key, err)
		}
		if err := tlog.CheckRecord(proof, head.Size, head.Root, record.index, manifest.LeafHash(record.sum)); err != nil {
			return head, damaged(record.key, "entry %d of the log is another one", record.index)
		}
		record.proof = manifest.EncodeProof(record.index, proof, head.body)
	}
	return head, nil
}

func (e Exporter) readHead(ctx context.Context) (logHead, error) {
	verifier, err := e.verifier()
	if err != nil {
		return logHead{}, fmt.Errorf("read verifier key: %w", err)
	}
	key := e.Layout.Checkpoint()
	body, err := readSmall(ctx, e.Bucket, key, "")
	if errors.Is(err, store.ErrNotFound) {
		return logHead{}, nil
	}
	if err != nil {
		return logHead{}, err
	}
	head := logHead{body: body}
	if verifier == nil {
		head.Checkpoint, err = manifest.ReadCheckpoint(body)
	} else {
		head.Checkpoint, err = manifest.OpenCheckpoint(body, verifier)
	}
	if err != nil {
		return logHead{}, damaged(key, "%v", err)
	}
	return head, nil
}

// tileReader reads tiles of the log from the bucket for one export. tlog checks
// what it reads against the root.
type tileReader struct {
	ctx    context.Context
	bucket Objects
	layout manifest.Layout
	read   map[tlog.Tile][]byte // a handful: two or three for each record
}

// Height implements tlog.TileReader.
func (r *tileReader) Height() int { return manifest.TileHeight }

// SaveTiles implements tlog.TileReader: what was checked need not be read again.
func (r *tileReader) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	if r.read == nil {
		r.read = make(map[tlog.Tile][]byte)
	}
	for n, tile := range tiles {
		r.read[tile] = data[n]
	}
}

// ReadTiles implements tlog.TileReader.
func (r *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for n, tile := range tiles {
		if there, ok := r.read[tile]; ok {
			data[n] = there
			continue
		}
		body, err := readSmall(r.ctx, r.bucket, r.layout.Tile(tile), "")
		if err != nil {
			return nil, err
		}
		data[n] = body
	}
	return data, nil
}
