package storetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"vlens-archiver/store"
)

// Head implements Bucket.
func (b *MemoryBucket) Head(ctx context.Context, key, versionID string) (store.Object, error) {
	v, err := b.find(ctx, key, versionID)
	if err != nil {
		return store.Object{}, fmt.Errorf("head %q: %w", key, err)
	}
	return v.copied(), nil
}

// Get implements Bucket.
func (b *MemoryBucket) Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error) {
	v, err := b.find(ctx, key, versionID)
	if err != nil {
		return nil, store.Object{}, fmt.Errorf("get %q: %w", key, err)
	}
	object := v.copied()
	object.SHA256 = "" // as the real one: a reader computes it
	return io.NopCloser(bytes.NewReader(v.body)), object, nil
}

func (b *MemoryBucket) find(ctx context.Context, key, versionID string) (objectVersion, error) {
	if err := ctx.Err(); err != nil {
		return objectVersion{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	history := b.versions[key]
	for _, v := range slices.Backward(history) {
		if versionID == "" || v.VersionID == versionID {
			return v, nil
		}
	}
	return objectVersion{}, store.ErrNotFound
}

// List implements Bucket.
func (b *MemoryBucket) List(ctx context.Context, prefix string) iter.Seq2[store.Object, error] {
	return b.list(ctx, prefix, false)
}

// ListVersions implements Bucket.
func (b *MemoryBucket) ListVersions(ctx context.Context, prefix string) iter.Seq2[store.Object, error] {
	return b.list(ctx, prefix, true)
}

func (b *MemoryBucket) list(ctx context.Context, prefix string, all bool) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		for _, found := range b.listing(prefix, all) {
			if err := ctx.Err(); err != nil {
				yield(store.Object{}, fmt.Errorf("list %q: %w", prefix, err))
				return
			}
			if !yield(found, nil) {
				return
			}
		}
	}
}

// listing holds no more of an object than a service tells in a listing.
func (b *MemoryBucket) listing(prefix string, all bool) []store.Object {
	b.mu.Lock()
	defer b.mu.Unlock()
	var listed []store.Object
	for _, key := range slices.Sorted(maps.Keys(b.versions)) {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		for i, v := range slices.Backward(b.versions[key]) {
			found := store.Object{Key: key, ETag: v.ETag, Size: v.Size, LastModified: v.LastModified}
			if all {
				found.VersionID, found.Latest = v.VersionID, i == len(b.versions[key])-1
			}
			listed = append(listed, found)
			if !all {
				break
			}
		}
	}
	return listed
}
