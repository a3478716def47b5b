package bucket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"

	"vlens-archiver/store"
)

// sha256Metadata is the metadata entry in which writers repeat the hash.
const sha256Metadata = "sha256"

// errUndecided: the service refused the write, yet nothing is in its way.
var errUndecided = errors.New("undecided")

// compare looks at what is under the key of a refused write and returns it
// when it is the very bytes of the request. Else the error says what is there
// instead, or that the write must be tried again.
func (b *Bucket) compare(ctx context.Context, request store.PutRequest, status int) (store.Object, error) {
	object, err := b.Head(ctx, request.Key, "")
	missing := errors.Is(err, store.ErrNotFound)
	if err != nil && !missing {
		return store.Object{}, err
	}
	if !missing {
		same, err := b.same(ctx, &object, request)
		if same || err != nil {
			return object, err
		}
	}
	// 409: another write is under way, and S3 does not know yet which one wins
	// (docs.aws.amazon.com, "How to prevent object overwrites with conditional
	// writes").
	underWay := status == http.StatusConflict
	replacing := request.IfMatch != ""
	switch {
	case missing && (underWay || !replacing), underWay && replacing && object.ETag == request.IfMatch:
		return store.Object{}, errUndecided
	case missing:
		return store.Object{}, b.refused(request, store.ErrNotFound, "the object to replace")
	case replacing:
		return store.Object{}, b.refused(request, store.ErrExists, "the object to replace has changed")
	default:
		return store.Object{}, b.refused(request, store.ErrExists, "other bytes are under the key")
	}
}

func (b *Bucket) refused(request store.PutRequest, kind error, detail string) error {
	return &failure{operation: operationOf(request), bucket: b.config.Bucket, key: request.Key, kind: kind, detail: detail}
}

// same reports whether the object is the very bytes of the request, and
// completes its SHA256.
func (b *Bucket) same(ctx context.Context, object *store.Object, request store.PutRequest) (bool, error) {
	if object.Size != request.Size {
		return false, nil
	}
	if object.SHA256 == "" {
		sum, err := b.contentHash(ctx, *object)
		if err != nil {
			return false, err
		}
		object.SHA256 = sum
	}
	return object.SHA256 == hex.EncodeToString(request.SHA256[:]), nil
}

// contentHash is for services that keep no checksum: what the writer stated
// when the object was written, else what a download gives.
func (b *Bucket) contentHash(ctx context.Context, object store.Object) (string, error) {
	if stated := object.Metadata[sha256Metadata]; stated != "" {
		return stated, nil
	}
	body, _, err := b.Get(ctx, object.Key, object.VersionID)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, body); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
