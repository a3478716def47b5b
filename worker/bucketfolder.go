package worker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// Names of the metadata of an image object. With the key they say all that a
// record states of the image, so that the work of an attempt that died before
// its record need not be paid for again.
const (
	metaSHA256    = "sha256"
	metaRef       = "ref"
	metaWidth     = "width"
	metaHeight    = "height"
	metaFlags     = "flags"
	metaFetchedAt = "fetched-at"
	// Objects of earlier builds do not have these.
	metaRequestID  = "request-id"
	metaVendorDate = "vendor-date"
)

// folder is what stands in the bucket under the transaction's prefix and is not
// in the ledger, and beside it the records of the subject's earlier transactions
// that are not.
type folder struct {
	images  []store.Image
	records []int // sequence numbers
	earlier []manifest.SubjectObject
	// locks are until when images that this attempt found or put are locked, by key.
	locks map[string]time.Time
}

// exploreFolder lists the subject's prefix, which holds few transactions, and
// reads the metadata of the transaction's images that the ledger does not know.
func (a *attempt) exploreFolder(ctx context.Context) error {
	err := a.bucket.try(ctx, func() error {
		a.folder = folder{locks: make(map[string]time.Time)}
		for object, err := range a.Bucket.List(ctx, a.Layout.Subject(a.task.Subject)) {
			if err != nil {
				return err
			}
			if err := a.explore(ctx, object); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for images of an earlier attempt: %w", err)
	}
	return nil
}

func (a *attempt) explore(ctx context.Context, object store.Object) error {
	parts, ours := a.Layout.ParseSubjectObject(object.Key)
	switch {
	case !ours:
		return nil
	case parts.Transaction != a.transaction:
		if parts.Sequence > 0 && !slices.ContainsFunc(a.known.Records, func(r store.RecordRef) bool { return r.Key == object.Key }) {
			a.folder.earlier = append(a.folder.earlier, parts)
		}
		return nil
	case parts.Sequence > 0:
		if parts.Sequence > a.known.Record.Sequence {
			a.folder.records = append(a.folder.records, parts.Sequence)
		}
		return nil
	case slices.ContainsFunc(a.known.Images, func(i store.StoredImage) bool { return i.Key == object.Key }):
		return nil
	}
	there, err := a.Bucket.Head(ctx, object.Key, "")
	if err != nil {
		return err
	}
	if image, ok := imageOf(there, parts); ok {
		a.folder.images = append(a.folder.images, image)
		a.folder.locks[image.Key] = there.RetainUntil
	}
	return nil
}

// metadata is what an image object says of itself beside its bytes.
func metadata(i store.Image) map[string]string {
	flags := make([]string, len(i.Flags))
	for n, flag := range i.Flags {
		flags[n] = string(flag)
	}
	meta := map[string]string{
		metaSHA256:    i.SHA256,
		metaRef:       string(i.Ref),
		metaWidth:     strconv.Itoa(i.Width),
		metaHeight:    strconv.Itoa(i.Height),
		metaFlags:     strings.Join(flags, ","),
		metaFetchedAt: i.FetchedAt.Format(time.RFC3339Nano),
	}
	if i.Source.RequestID != "" {
		meta[metaRequestID] = i.Source.RequestID
	}
	if !i.Source.VendorDate.IsZero() {
		meta[metaVendorDate] = i.Source.VendorDate.UTC().Format(time.RFC3339)
	}
	return meta
}

// imageOf reads metadata back. An object that does not say what it is, or
// whose hash is not the one in its key, is not one of ours.
func imageOf(object store.Object, key manifest.SubjectObject) (store.Image, bool) {
	meta := object.Metadata
	hash := meta[metaSHA256]
	fetched, err := time.Parse(time.RFC3339Nano, meta[metaFetchedAt])
	if err != nil || len(hash) != 64 || !strings.HasPrefix(hash, key.HashPrefix) || meta[metaRef] == "" ||
		object.SHA256 != "" && object.SHA256 != hash {
		return store.Image{}, false
	}
	image := store.Image{
		Kind:      key.Kind,
		State:     store.ImageStored,
		Ref:       store.Ref(meta[metaRef]),
		Key:       object.Key,
		VersionID: object.VersionID,
		ETag:      object.ETag,
		Bytes:     object.Size,
		MediaType: object.ContentType,
		SHA256:    hash,
		FetchedAt: fetched,
	}
	width, _ := strconv.Atoi(meta[metaWidth])
	height, _ := strconv.Atoi(meta[metaHeight])
	image.Width, image.Height = store.Pixels(width), store.Pixels(height)
	image.Source.RequestID = meta[metaRequestID]
	image.Source.VendorDate, _ = time.Parse(time.RFC3339, meta[metaVendorDate])
	for flag := range strings.SplitSeq(meta[metaFlags], ",") {
		if flag != "" {
			image.Flags = append(image.Flags, store.Flag(flag))
		}
	}
	return image, true
}
