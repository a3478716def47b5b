package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"

	"vlens-archiver/store"
)

// Getter opens objects of the bucket. Keys are whole keys, prefix included; an
// empty version id means the latest version. What is missing is
// store.ErrNotFound. Bytes come unchecked: whoever reads them computes their hash.
type Getter interface {
	Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error)
}

// Lister yields the versions of each key, the newest first, in the order of the
// keys. An error is the last that it yields.
type Lister interface {
	ListVersions(ctx context.Context, prefix string) iter.Seq2[store.Object, error]
}

// Putter writes an object create-only.
type Putter interface {
	Put(ctx context.Context, request store.PutRequest) (object store.Object, created bool, err error)
}

// LargestSmall bounds, in bytes, what is read whole: records, statements, tiles
// and the other objects of known small size.
const LargestSmall = 4 << 20

// ReadSmall reads a whole object that is known to be small. Of one that is larger
// than any of ours it returns the beginning, and ErrDamaged.
func ReadSmall(ctx context.Context, from Getter, key, versionID string) ([]byte, store.Object, error) {
	body, object, err := from.Get(ctx, key, versionID)
	if err != nil {
		return nil, store.Object{}, err
	}
	defer body.Close()
	content, err := io.ReadAll(io.LimitReader(body, LargestSmall+1))
	if err != nil {
		return nil, store.Object{}, fmt.Errorf("read %q: %w", key, err)
	}
	if len(content) > LargestSmall {
		return content, object, Damaged(key, "it is larger than %d bytes", LargestSmall)
	}
	return content, object, nil
}

// PutStatement writes a statement about what was done with the archive.
func PutStatement(ctx context.Context, to Putter, key string, body []byte) error {
	_, _, err := to.Put(ctx, store.PutRequest{
		Key: key, Body: bytes.NewReader(body), Size: int64(len(body)), ContentType: "application/json", SHA256: sha256.Sum256(body),
	})
	return err
}

// HashOf is the SHA-256 of bytes, in lower-case hex.
func HashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
