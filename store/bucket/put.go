package bucket

import (
	"context"
	"crypto/sha256"
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

// Put writes an object. created is false when the same bytes were under the
// key already, perhaps from an earlier try of this call whose answer was lost.
// LastModified of the result is zero when created is true.
//
// Other bytes under the key, or with IfMatch another object than the one to
// replace, are store.ErrExists, and nothing is changed; an object to replace
// that is missing is store.ErrNotFound.
func (b *Bucket) Put(ctx context.Context, request store.PutRequest) (object store.Object, created bool, err error) {
	operation := operationOf(request)
	for attempt := 1; ; attempt++ {
		if _, err := request.Body.Seek(0, io.SeekStart); err != nil {
			return store.Object{}, false, fmt.Errorf("put %q: rewind body: %w", request.Key, err)
		}
		object, refusal := b.putOnce(ctx, request)
		if refusal == nil {
			return object, true, nil
		}
		if !keyTaken(refusal) {
			return store.Object{}, false, b.failed(operation, request.Key, refusal)
		}
		object, err := b.compare(ctx, request, statusOf(refusal))
		if !errors.Is(err, errUndecided) {
			return object, false, err
		}
		if attempt == b.config.Attempts {
			return store.Object{}, false, b.failed(operation, request.Key, refusal)
		}
		if err := pause(ctx, attempt); err != nil {
			return store.Object{}, false, b.failed(operation, request.Key, err)
		}
	}
}

// putOnce uploads. The SDK repeats the request where that may help.
func (b *Bucket) putOnce(ctx context.Context, request store.PutRequest) (store.Object, error) {
	input := b.putInput(request)
	output, err := b.client.PutObject(ctx, input, s3.WithAPIOptions(signPayload(request.SHA256)))
	if err != nil {
		return store.Object{}, err
	}
	object := store.Object{
		Key:         request.Key,
		VersionID:   store.KnownVersion(aws.ToString(output.VersionId)),
		ETag:        unquoted(output.ETag),
		Size:        request.Size,
		SHA256:      hex.EncodeToString(request.SHA256[:]),
		ContentType: request.ContentType,
		Metadata:    request.Metadata,
	}
	if input.ObjectLockRetainUntilDate != nil {
		object.RetainUntil, object.LockMode = *input.ObjectLockRetainUntilDate, b.config.ObjectLock.Mode
	}
	return object, nil
}

func operationOf(request store.PutRequest) string {
	if request.IfMatch != "" {
		return opReplace
	}
	return opPut
}

// keyTaken reports whether a write was refused because of what is under the key,
// or is being written there.
func keyTaken(err error) bool {
	status := statusOf(err)
	return status == http.StatusPreconditionFailed || status == http.StatusConflict
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

// signPayload signs the hash that the caller has. The SDK would read the body once
// more to compute it, and over TLS sign none.
func signPayload(sum [sha256.Size]byte) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		const step = "ComputePayloadHash"
		_, err := stack.Finalize.Swap(step, middleware.FinalizeMiddlewareFunc(step,
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				return next.HandleFinalize(v4.SetPayloadHash(ctx, hex.EncodeToString(sum[:])), in)
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
