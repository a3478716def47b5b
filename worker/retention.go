package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// storage says where the record and its images are, and until when all of them are
// locked: images of earlier attempts were locked when they were put. The time is
// null when one has no lock.
func (a *attempt) storage(ctx context.Context, images []manifest.Image, now time.Time) (manifest.Storage, error) {
	storage := manifest.NewStorage(a.Bucket.Location(), now)
	if storage.RetainUntil == nil {
		return storage, nil
	}
	for _, stated := range images {
		image := stated.Stored()
		if image.State != store.ImageStored {
			continue
		}
		until, err := a.lockedUntil(ctx, image)
		switch {
		case errors.Is(err, store.ErrNotFound): // it was deleted; verify tells
			continue
		case err != nil:
			return storage, fmt.Errorf("read the lock of an image: %w", err)
		case until.IsZero():
			storage.RetainUntil = nil
			return storage, nil
		case until.Before(*storage.RetainUntil):
			until = manifest.Time(until)
			storage.RetainUntil = &until
		}
	}
	return storage, nil
}

// lockedUntil is until when an image is locked, as this attempt saw it when it put or
// found the object; of one that only the ledger knows the bucket is asked.
func (a *attempt) lockedUntil(ctx context.Context, image store.Image) (time.Time, error) {
	if until, seen := a.folder.locks[image.Key]; seen {
		return until, nil
	}
	object, err := ask(ctx, a.bucket, func() (store.Object, error) {
		return a.Bucket.Head(ctx, image.Key, image.VersionID)
	})
	return object.RetainUntil, err
}
