package storetest

import (
	"context"
	"io"
	"iter"

	"vlens-archiver/store"
)

// Bucket is what the archive needs of a bucket. Both store/bucket.Bucket and
// MemoryBucket keep the contract that RunBucketSuite states.
type Bucket interface {
	Put(ctx context.Context, request store.PutRequest) (object store.Object, created bool, err error)
	Head(ctx context.Context, key, versionID string) (store.Object, error)
	Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error)
	List(ctx context.Context, prefix string) iter.Seq2[store.Object, error]
	ListVersions(ctx context.Context, prefix string) iter.Seq2[store.Object, error]
	Location() store.Location
}
