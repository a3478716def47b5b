package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens"
)

// fetched is what became of one reference.
type fetched struct {
	store.Image
	created bool         // this attempt wrote the object
	locked  time.Time    // until when the object is; zero without a lock
	failure *vlens.Error // why it is not stored, when the vendor is why
}

// fetchAll fetches and stores the references, in parallel, and says of each what
// became of it. The error is errNoTransaction, one of the vendor's that leaves
// open whether it serves such images, or one that stops the run.
func (a *attempt) fetchAll(ctx context.Context, wanted []reference) (results []fetched, err error) {
	results = make([]fetched, len(wanted))
	first := 0
	if len(wanted) > 0 && wanted[0].transactionID == "" {
		// Whether the vendor serves an image whose transaction nobody knows is
		// asked with one, before it is asked six times.
		if refused, _ := a.unnamed.inVain(); refused {
			return nil, errNoTransaction
		}
		if results[0], err = a.fetch(ctx, ctx, wanted[0]); err != nil {
			return nil, err
		}
		first = 1
	}

	group, fetching := errgroup.WithContext(ctx)
	for n := first; n < len(wanted); n++ {
		group.Go(func() (err error) {
			results[n], err = a.fetch(fetching, ctx, wanted[n])
			return err
		})
	}
	return results, group.Wait()
}

// fetch fetches and stores one image, when one of the places for images is free. The
// context of all users ends when the work on all of them does.
func (a *attempt) fetch(ctx, allUsers context.Context, r reference) (result fetched, err error) {
	err = a.imagePlaces.do(ctx, allUsers, func() error {
		image, err := a.request(ctx, r)
		if err == nil {
			defer image.Release()
		}
		if r.transactionID == "" {
			if err := a.unnamed.learn(err); err != nil {
				return err
			}
		}
		result, err = a.keep(ctx, r, image, err)
		return err
	})
	return result, err
}

// request asks the vendor for one image. The caller releases it.
func (a *attempt) request(ctx context.Context, r reference) (image *vlens.Image, err error) {
	ctx, span := startSpan(ctx, spanFetch)
	defer func() { endSpan(span, err) }()
	return askVendor(ctx, a.Worker, func() (*vlens.Image, error) {
		return a.Vendor.Image(ctx, vlens.ImageRequest{TransactionID: r.transactionID, FileName: r.fileName.Reveal()})
	})
}

// keep stores the image that the vendor answered with, or states why there is
// none.
func (a *attempt) keep(ctx context.Context, r reference, answer *vlens.Image, err error) (fetched, error) {
	if err != nil {
		return a.notStored(r, err)
	}
	if store.Extension(answer.MediaType) == "" {
		return a.notStored(r, fmt.Errorf("the archive has no file name extension for %q", answer.MediaType))
	}
	hash := sha256.Sum256(answer.Bytes)
	image := a.describe(r, answer, hash)
	object, created, err := a.put(ctx, image, answer.Bytes, hash)
	if err != nil {
		return a.notStored(r, err)
	}
	image.VersionID, image.ETag = object.VersionID, object.ETag
	if created {
		a.progress.image(image.Bytes)
	}
	return fetched{Image: image, created: created, locked: object.RetainUntil}, nil
}

// notStored states an image that is not stored, and why. An error that concerns the whole run
// is returned instead.
func (a *attempt) notStored(r reference, err error) (fetched, error) {
	if stopsRun(err) {
		return fetched{}, err
	}
	class, _ := classOf(err).Info()
	image := store.Image{Kind: r.kind, State: class.Image, Class: class.Class, Ref: r.ref}
	if image.State == store.ImageGone {
		image = a.believeGone(image)
	}
	vendor, ofVendor := errors.AsType[*vlens.Error](err)
	if ofVendor {
		image.Source = sourceOf(vendor.Provenance)
	}
	return fetched{Image: image, failure: vendor}, nil
}

// describe states the image under the key that its content gives it.
func (a *attempt) describe(r reference, answer *vlens.Image, hash [sha256.Size]byte) store.Image {
	image := store.Image{
		Kind:      r.kind,
		State:     store.ImageStored,
		Ref:       r.ref,
		Bytes:     int64(len(answer.Bytes)),
		MediaType: answer.MediaType,
		Width:     answer.Width,
		Height:    answer.Height,
		SHA256:    hex.EncodeToString(hash[:]),
		FetchedAt: manifest.Time(time.Now()),
		Source:    sourceOf(answer.Provenance),
	}
	image.Key = a.Layout.Image(a.task.Subject, a.transaction, r.kind, image.SHA256, store.Extension(answer.MediaType))
	if !answer.Complete {
		image.Flags = append(image.Flags, store.FlagTruncated)
	}
	if image.Width > 0 && image.Height > 0 && min(image.Width, image.Height) < store.TinySide {
		image.Flags = append(image.Flags, store.FlagTiny)
	}
	if a.conflicts(image) {
		image.Flags = append(image.Flags, store.FlagConflict)
	}
	return image
}

// conflicts reports whether other bytes are stored for the same kind and
// reference.
func (a *attempt) conflicts(image store.Image) bool {
	return slices.ContainsFunc(a.stored(), func(i store.Image) bool {
		return i.Kind == image.Kind && i.Ref == image.Ref && i.SHA256 != image.SHA256
	})
}

func (a *attempt) put(ctx context.Context, image store.Image, body []byte, hash [sha256.Size]byte) (object store.Object, created bool, err error) {
	ctx, span := startSpan(ctx, spanPut)
	defer func() { endSpan(span, err) }()
	err = a.bucket.try(ctx, func() (err error) {
		object, created, err = a.Bucket.Put(ctx, store.PutRequest{
			Key:         image.Key,
			Body:        bytes.NewReader(body),
			Size:        image.Bytes,
			ContentType: image.MediaType,
			SHA256:      hash,
			Metadata:    metadata(image),
		})
		return err
	})
	return object, created, err
}
