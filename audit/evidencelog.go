package audit

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// LogHead is the log's checkpoint as the bucket has it.
type LogHead struct {
	manifest.Checkpoint
	Body []byte // the exact bytes; nil while there is no log
	ETag string
}

// ReadLogHead reads the log's checkpoint. With a verifier key it must be signed
// by that key; one that is not, or is no checkpoint, is ErrDamaged.
func ReadLogHead(ctx context.Context, from Getter, layout manifest.Layout, verifierKey string) (LogHead, error) {
	key := layout.Checkpoint()
	body, object, err := ReadSmall(ctx, from, key, "")
	if errors.Is(err, store.ErrNotFound) {
		return LogHead{}, nil
	}
	if err != nil {
		return LogHead{}, err
	}
	head := LogHead{Body: body, ETag: object.ETag}
	if verifierKey == "" {
		head.Checkpoint, err = manifest.ReadUnverified(body)
	} else {
		verifier, keyErr := note.NewVerifier(verifierKey)
		if keyErr != nil {
			return LogHead{}, fmt.Errorf("read verifier key: %w", keyErr)
		}
		head.Checkpoint, err = manifest.OpenCheckpoint(body, verifier)
	}
	if err != nil {
		return LogHead{}, Damaged(key, "%v", err)
	}
	return head, nil
}

// TileHashes gives the hashes of a log from its tiles, which read reads by their
// keys. Package tlog checks each tile against the root of the log.
func TileHashes(log tlog.Tree, layout manifest.Layout, read func(key string) ([]byte, error)) tlog.HashReader {
	return tlog.TileHashReader(log, &tileReader{layout: layout, read: read, checked: make(map[tlog.Tile][]byte)})
}

type tileReader struct {
	layout  manifest.Layout
	read    func(key string) ([]byte, error)
	checked map[tlog.Tile][]byte // two or three for each entry that was asked for
}

// Height implements tlog.TileReader.
func (r *tileReader) Height() int { return manifest.TileHeight }

// SaveTiles implements tlog.TileReader: what was checked is not read again.
func (r *tileReader) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	for n, tile := range tiles {
		r.checked[tile] = data[n]
	}
}

// ReadTiles implements tlog.TileReader.
func (r *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for n, tile := range tiles {
		var known bool
		if data[n], known = r.checked[tile]; known {
			continue
		}
		var err error
		if data[n], err = r.read(r.layout.Tile(tile)); err != nil {
			return nil, err
		}
	}
	return data, nil
}
