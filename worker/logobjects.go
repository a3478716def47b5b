package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
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
			if body, err = s.tree.tile(tile); err != nil {
				return errors.Join(err, group.Wait())
			}
		}
		group.Go(func() error {
			key := s.Layout.Tile(tile)
			_, err := s.putWaiting(ctx, putRequest(key, "application/octet-stream", body))
			if errors.Is(err, store.ErrExists) {
				return fmt.Errorf("%w: other bytes stand under %q", ErrLogAlarm, key)
			}
			return err
		})
	}
	return group.Wait()
}

func putRequest(key, contentType string, body []byte) store.PutRequest {
	return store.PutRequest{
		Key:         key,
		Body:        bytes.NewReader(body),
		Size:        int64(len(body)),
		ContentType: contentType,
		SHA256:      sha256.Sum256(body),
	}
}

// putWaiting is a Put that waits for a bucket that is away.
func (w *Worker) putWaiting(ctx context.Context, request store.PutRequest) (object store.Object, err error) {
	err = w.bucket.try(ctx, func(ctx context.Context) (err error) {
		object, _, err = w.Bucket.Put(ctx, request)
		return err
	})
	return object, err
}

// readWaiting is readObject that waits for a bucket that is away.
func (w *Worker) readWaiting(ctx context.Context, key string) (body []byte, object store.Object, err error) {
	err = w.bucket.try(ctx, func(ctx context.Context) (err error) {
		body, object, err = w.readObject(ctx, key, "")
		return err
	})
	return body, object, err
}
