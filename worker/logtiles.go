package worker

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// tilesInFlight is how many tiles are put at once.
const tilesInFlight = 8

// putTiles puts tiles of the tree and entry bundles create-only.
func (s *seal) putTiles(ctx context.Context, tiles []tlog.Tile, bundles bundled) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(tilesInFlight)
	for _, tile := range tiles {
		var body []byte
		if tile.L == manifest.EntryLevel {
			at := tile.N*manifest.TileWidth - bundles.first
			body = manifest.EncodeEntries(bundles.entries[at : at+int64(tile.W)])
		} else {
			var err error
			if body, err = tlog.ReadTileData(tile, s.tree); err != nil {
				return errors.Join(err, group.Wait())
			}
		}
		group.Go(func() error {
			key := s.Layout.Tile(tile)
			_, err := s.putObject(ctx, putRequest(key, "application/octet-stream", body))
			if errors.Is(err, store.ErrExists) {
				return fmt.Errorf("%w: other bytes stand under %q", ErrLogAlarm, key)
			}
			return err
		})
	}
	return group.Wait()
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
			if body, _, err = r.readObject(r.ctx, r.Layout.Tile(tile), ""); err != nil {
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
