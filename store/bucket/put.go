package bucket

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"vlens-archiver/store"
)

// Put writes an object. created is false when the same bytes stood under the
// key already, be it from an earlier try of this call whose answer was lost.
// LastModified of the result is zero when created is true.
//
// Other bytes under the key, or with IfMatch another object than the one to
// replace, are store.ErrExists, and nothing is changed; an object to replace
// that is missing is store.ErrNotFound.
func (b *Bucket) Put(ctx context.Context, request store.PutRequest) (object store.Object, created bool, err error) {
	for attempt := 1; ; attempt++ {
		if _, err := request.Body.Seek(0, io.SeekStart); err != nil {
			return store.Object{}, false, fmt.Errorf("put %q: rewind body: %w", request.Key, err)
		}
		object, refusal := b.putOnce(ctx, request)
		if refusal == nil {
			return object, true, nil
		}
		if !stands(refusal) {
			return store.Object{}, false, b.failed(writing(request), request.Key, refusal)
		}
		object, err := b.compare(ctx, request, statusOf(refusal))
		if !errors.Is(err, errUndecided) {
			return object, false, err
		}
		if attempt == b.config.Attempts {
			return store.Object{}, false, b.failed(writing(request), request.Key, refusal)
		}
		if err := pause(ctx, attempt); err != nil {
			return store.Object{}, false, b.failed(writing(request), request.Key, err)
		}
	}
}

// putOnce uploads by the shortcut, and where that does not settle it by the SDK.
// The shortcut counts as the first of the attempts.
func (b *Bucket) putOnce(ctx context.Context, request store.PutRequest) (store.Object, error) {
	input, digest := b.putInput(request), hex.EncodeToString(request.SHA256[:])
	attempts := b.config.Attempts
	if attempts > 1 && b.shortcut.open() {
		header, err := b.shortcut.put(ctx, input, digest)
		switch {
		case err == nil:
			version, etag := header.Get("X-Amz-Version-Id"), header.Get("Etag")
			return b.written(request, input, &version, &etag), nil
		case b.shortcut.settles(err) || ctx.Err() != nil:
			return store.Object{}, err
		}
		if _, err := request.Body.Seek(0, io.SeekStart); err != nil {
			return store.Object{}, fmt.Errorf("put %q: rewind body: %w", request.Key, err)
		}
		attempts--
	}

	output, err := b.client.PutObject(ctx, input, s3.WithAPIOptions(knownPayload(digest)), func(o *s3.Options) { o.RetryMaxAttempts = attempts })
	if err != nil {
		return store.Object{}, err
	}
	return b.written(request, input, output.VersionId, output.ETag), nil
}

// writing is the name of the operation.
func writing(request store.PutRequest) string {
	if request.IfMatch != "" {
		return opReplace
	}
	return opPut
}

// stands reports whether a write was refused because of what stands under the
// key, or is being written there.
func stands(err error) bool {
	status := statusOf(err)
	return status == http.StatusPreconditionFailed || status == http.StatusConflict
}

func (b *Bucket) written(request store.PutRequest, input *s3.PutObjectInput, version, etag *string) store.Object {
	object := store.Object{
		Key:         request.Key,
		VersionID:   aws.ToString(version),
		ETag:        unquoted(etag),
		Size:        request.Size,
		SHA256:      hex.EncodeToString(request.SHA256[:]),
		ContentType: request.ContentType,
		Metadata:    request.Metadata,
		RetainUntil: aws.ToTime(input.ObjectLockRetainUntilDate),
	}
	if !object.RetainUntil.IsZero() {
		object.LockMode = b.config.ObjectLock.Mode
	}
	return object
}

func (b *Bucket) putInput(request store.PutRequest) *s3.PutObjectInput {
	input := &s3.PutObjectInput{
		Bucket:         &b.config.Bucket,
		Key:            &request.Key,
		Body:           request.Body,
		ContentLength:  &request.Size,
		ContentType:    &request.ContentType,
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(request.SHA256[:])),
		Metadata:       request.Metadata,
	}
	if request.IfMatch == "" {
		input.IfNoneMatch = aws.String("*")
	} else {
		input.IfMatch = aws.String(`"` + request.IfMatch + `"`)
	}
	switch b.config.Encryption.Mode {
	case EncryptionS3:
		input.ServerSideEncryption = types.ServerSideEncryptionAes256
	case EncryptionKMS:
		input.ServerSideEncryption = types.ServerSideEncryptionAwsKms
		// One data key for many objects: without it every request is also a paid
		// and limited request to KMS.
		input.BucketKeyEnabled = aws.Bool(true)
		if b.config.Encryption.KMSKeyID != "" {
			input.SSEKMSKeyId = &b.config.Encryption.KMSKeyID
		}
	}
	if !request.Unlocked && b.config.ObjectLock.Mode != LockNone {
		input.ObjectLockMode = lockModes[b.config.ObjectLock.Mode]
		until := time.Now().UTC().AddDate(0, 0, b.config.ObjectLock.Days).Truncate(time.Second)
		input.ObjectLockRetainUntilDate = &until
	}
	return input
}

var lockModes = map[string]types.ObjectLockMode{
	LockGovernance: types.ObjectLockModeGovernance,
	LockCompliance: types.ObjectLockModeCompliance,
}

// knownPayload signs the hash that the caller has, where the SDK would read the
// body once more to compute it, or over TLS sign no hash at all.
func knownPayload(digest string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		const step = "ComputePayloadHash"
		_, err := stack.Finalize.Swap(step, middleware.FinalizeMiddlewareFunc(step,
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				return next.HandleFinalize(v4.SetPayloadHash(ctx, digest), in)
			}))
		return err
	}
}

// pause waits 100 ms, doubling, at most maxBackoff, with jitter.
func pause(ctx context.Context, attempt int) error {
	delay := min(100*time.Millisecond<<min(attempt-1, 10), maxBackoff)
	timer := time.NewTimer(delay/2 + rand.N(delay/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
