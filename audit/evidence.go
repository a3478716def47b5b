package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// Objects is the archive's bucket. Keys are whole keys, prefix included; an empty
// version id means the latest version. What is missing is store.ErrNotFound.
type Objects interface {
	// Get opens an object; its bytes come unchecked, and whoever reads them
	// computes their hash.
	Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error)
	// ListVersions yields the versions of each key, the newest first, in the order
	// of the keys. An error is the last that it yields.
	ListVersions(ctx context.Context, prefix string) iter.Seq2[store.Object, error]
	// Put writes an object create-only.
	Put(ctx context.Context, request store.PutRequest) (object store.Object, created bool, err error)
}

// ErrDamaged says that something stored is not what it should be: missing,
// changed, or in disagreement with what else is stored. Errors that wrap it name
// the key.
var ErrDamaged = errors.New("the archive is damaged")

// largestSmallObject bounds what is read into memory: records, statements,
// tiles and the other objects of known small size.
const largestSmallObject = 4 << 20

// readSmall reads a whole object that is known to be small.
func readSmall(ctx context.Context, bucket Objects, key, versionID string) ([]byte, error) {
	content, _, err := readVersion(ctx, bucket, key, versionID)
	return content, err
}

// readVersion is readSmall with the ETag of what was read.
func readVersion(ctx context.Context, bucket Objects, key, versionID string) (content []byte, etag string, err error) {
	body, object, err := bucket.Get(ctx, key, versionID)
	if err != nil {
		return nil, "", err
	}
	defer body.Close()
	content, err = io.ReadAll(io.LimitReader(body, largestSmallObject+1))
	if err != nil {
		return nil, "", fmt.Errorf("read %q: %w", key, err)
	}
	if len(content) > largestSmallObject {
		return nil, "", fmt.Errorf("%w: %q: it is larger than %d bytes", ErrDamaged, key, largestSmallObject)
	}
	return content, object.ETag, nil
}

// recorded opens recorded versions, and where one is gone, what stands under its
// key: an object that was put back from a copy is another version. Whoever reads
// it compares its hash.
type recorded struct{ Objects }

// Get opens an object as Objects does.
func (r recorded) Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error) {
	body, object, err := r.Objects.Get(ctx, key, versionID)
	if versionID != "" && errors.Is(err, store.ErrNotFound) {
		return r.Objects.Get(ctx, key, "")
	}
	return body, object, err
}

// CheckArchive makes sure that the bucket holds the archive that the
// configuration speaks of, or store.ErrForeignArchive says what differs.
func CheckArchive(ctx context.Context, bucket Objects, layout manifest.Layout, identity store.ArchiveIdentity) error {
	key := layout.Archive()
	body, err := readSmall(ctx, bucket, key, "")
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("open archive: %w: there is no %q; check archive.bucket and archive.prefix", store.ErrForeignArchive, key)
	}
	if err != nil {
		return fmt.Errorf("open archive: %w", err)
	}
	there, err := manifest.DecodeArchive(body)
	if err != nil {
		return fmt.Errorf("open archive: %w: %q: %w", store.ErrForeignArchive, key, err)
	}
	if err := there.Accept(key, identity); err != nil {
		return fmt.Errorf("open archive: %w", err)
	}
	return nil
}
