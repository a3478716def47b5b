package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"vlens-archiver/store"
)

// largestSmallObject bounds what is read back: archive.json, records, tiles and
// checkpoints of the log.
const largestSmallObject = 1 << 20

func putRequest(key, contentType string, body []byte) store.PutRequest {
	return store.PutRequest{
		Key:         key,
		Body:        bytes.NewReader(body),
		Size:        int64(len(body)),
		ContentType: contentType,
		SHA256:      sha256.Sum256(body),
	}
}

// putObject puts an object, and waits for a bucket that is away.
func (w *Worker) putObject(ctx context.Context, request store.PutRequest) (store.Object, error) {
	return ask(ctx, w.bucket, func() (store.Object, error) {
		object, _, err := w.Bucket.Put(ctx, request)
		return object, err
	})
}

// readObject reads a version of a small object, the last one if versionID is "",
// and waits for a bucket that is away.
func (w *Worker) readObject(ctx context.Context, key, versionID string) (content []byte, object store.Object, err error) {
	err = w.bucket.try(ctx, func() (err error) {
		content, object, err = w.readOnce(ctx, key, versionID)
		return err
	})
	return content, object, err
}

func (w *Worker) readOnce(ctx context.Context, key, versionID string) ([]byte, store.Object, error) {
	body, object, err := w.Bucket.Get(ctx, key, versionID)
	if err != nil {
		return nil, store.Object{}, err
	}
	defer body.Close()
	content, err := io.ReadAll(io.LimitReader(body, largestSmallObject))
	if err != nil {
		return nil, store.Object{}, fmt.Errorf("read %q: %w: %w", key, store.ErrUnavailable, err)
	}
	return content, object, nil
}
