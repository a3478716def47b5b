package telemetry

import (
	"context"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/worker"
)

// Measure wraps the ledger and the bucket of a worker, so that commits and writes
// are measured.
func (t *Telemetry) Measure(parts worker.Parts) worker.Parts {
	if t != nil {
		parts.Ledger = ledger{parts.Ledger, t.work}
		parts.Bucket = bucket{parts.Bucket, t.work}
	}
	return parts
}

type ledger struct {
	worker.Ledger
	work *work
}

// Commit measures the ledger write that ends a user.
func (l ledger) Commit(ctx context.Context, process string, result store.Result) error {
	began := time.Now()
	err := l.Ledger.Commit(ctx, process, result)
	l.work.commit(began, result, err)
	return err
}

type bucket struct {
	worker.Bucket
	work *work
}

// Put measures a write to the bucket.
func (b bucket) Put(ctx context.Context, request store.PutRequest) (store.Object, bool, error) {
	began := time.Now()
	object, created, err := b.Bucket.Put(ctx, request)
	b.work.put(began, created, err)
	return object, created, err
}
