package bucket

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"vlens-archiver/store"
)

// Head tells what is stored under a key, with the SHA-256 that the service
// holds. An empty version id means the latest version.
//
// S3 answers a HEAD without words: an object in a bucket that is missing is
// store.ErrNotFound like any other.
func (b *Bucket) Head(ctx context.Context, key, versionID string) (store.Object, error) {
	output, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket:       &b.config.Bucket,
		Key:          &key,
		VersionId:    optional(versionID),
		ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		return store.Object{}, b.failed("head", key, err)
	}
	return store.Object{
		Key:          key,
		VersionID:    store.KnownVersion(aws.ToString(output.VersionId)),
		ETag:         unquoted(output.ETag),
		Size:         aws.ToInt64(output.ContentLength),
		LastModified: aws.ToTime(output.LastModified),
		SHA256:       wholeSHA256(output.ChecksumSHA256),
		ContentType:  aws.ToString(output.ContentType),
		Metadata:     output.Metadata,
		LockMode:     strings.ToLower(string(output.ObjectLockMode)),
		RetainUntil:  aws.ToTime(output.ObjectLockRetainUntilDate),
	}, nil
}

// Get opens what is stored under a key; the caller closes it. An empty version
// id means the latest version. The bytes come as they are, unchecked, and SHA256
// of the object is empty: who needs the hash computes it.
func (b *Bucket) Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error) {
	output, err := b.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket:    &b.config.Bucket,
		Key:       &key,
		VersionId: optional(versionID),
	})
	if err != nil {
		return nil, store.Object{}, b.failed("get", key, err)
	}
	body := &body{ReadCloser: output.Body, bucket: b, key: key}
	return body, store.Object{
		Key:          key,
		VersionID:    store.KnownVersion(aws.ToString(output.VersionId)),
		ETag:         unquoted(output.ETag),
		Size:         aws.ToInt64(output.ContentLength),
		LastModified: aws.ToTime(output.LastModified),
		ContentType:  aws.ToString(output.ContentType),
		Metadata:     output.Metadata,
		LockMode:     strings.ToLower(string(output.ObjectLockMode)),
		RetainUntil:  aws.ToTime(output.ObjectLockRetainUntilDate),
	}, nil
}

// body gives the errors of reading their meaning.
type body struct {
	io.ReadCloser
	bucket *Bucket
	key    string
}

func (r *body) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.bucket.failed("read", r.key, err)
	}
	return n, err
}

func optional(versionID string) *string {
	if versionID == "" {
		return nil
	}
	return &versionID
}

func unquoted(etag *string) string { return strings.Trim(aws.ToString(etag), `"`) }

// wholeSHA256 turns S3's base64 into hex. An object that was uploaded in parts
// has a checksum of checksums, which says nothing about its bytes.
func wholeSHA256(checksum *string) string {
	sum, err := base64.StdEncoding.DecodeString(aws.ToString(checksum))
	if err != nil {
		return ""
	}
	return hex.EncodeToString(sum)
}
