package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"vlens-archiver/store"
)

// Canary is one object without value, by which to find out what a service really
// enforces. Its methods try what an archive never does, all of it on the one key,
// and nothing twice: an answer is what the service said to one request.
type Canary struct {
	bucket *Bucket
	Key    string
}

// Canary names an object to try things with.
func (b *Bucket) Canary(key string) Canary { return Canary{bucket: b, Key: key} }

// CanaryPut is a write to try: create-only, or with IfMatch in the place of the
// object whose ETag it is.
type CanaryPut struct {
	Body    []byte
	IfMatch string
	// ClaimedSHA256 goes with the body in place of its own; zero means its own.
	ClaimedSHA256 [sha256.Size]byte
	Metadata      map[string]string
	LockMode      string // "" means no lock
	LockUntil     time.Time
}

// Put tries a write, with the encryption of the configuration. Of the object it
// returns version id and ETag.
func (c Canary) Put(ctx context.Context, put CanaryPut) (store.Object, error) {
	sum := sha256.Sum256(put.Body)
	request := store.PutRequest{
		Key: c.Key, Body: bytes.NewReader(put.Body), Size: int64(len(put.Body)), ContentType: "text/plain",
		SHA256: sum, Metadata: put.Metadata, IfMatch: put.IfMatch, Unlocked: true,
	}
	input := c.bucket.putInput(request)
	if put.ClaimedSHA256 != [sha256.Size]byte{} {
		input.ChecksumSHA256 = aws.String(base64.StdEncoding.EncodeToString(put.ClaimedSHA256[:]))
	}
	if put.LockMode != "" {
		input.ObjectLockMode = lockModes[put.LockMode]
		input.ObjectLockRetainUntilDate = aws.Time(put.LockUntil.UTC().Truncate(time.Second))
	}
	output, err := c.bucket.client.PutObject(ctx, input, s3.WithAPIOptions(signPayload(sum)), once)
	if err != nil {
		return store.Object{}, c.bucket.failed(operationOf(request), c.Key, err)
	}
	return store.Object{Key: c.Key, VersionID: aws.ToString(output.VersionId), ETag: unquoted(output.ETag)}, nil
}

// Delete tries to delete a version; without a version id, to hide the object
// under a delete marker, or in a bucket without versions to remove it. Bypass
// asks for the privilege of passing over a governance lock.
func (c Canary) Delete(ctx context.Context, versionID string, bypass bool) error {
	input := &s3.DeleteObjectInput{Bucket: &c.bucket.config.Bucket, Key: &c.Key, VersionId: optional(versionID)}
	if bypass {
		input.BypassGovernanceRetention = aws.Bool(true)
	}
	_, err := c.bucket.client.DeleteObject(ctx, input, once)
	if err != nil {
		return c.bucket.failed("delete", c.Key, err)
	}
	return nil
}

// Relock tries to move the end of a version's lock.
func (c Canary) Relock(ctx context.Context, versionID, mode string, until time.Time) error {
	_, err := c.bucket.client.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{
		Bucket: &c.bucket.config.Bucket, Key: &c.Key, VersionId: optional(versionID),
		Retention: &types.ObjectLockRetention{
			Mode:            types.ObjectLockRetentionMode(lockModes[mode]),
			RetainUntilDate: aws.Time(until.UTC().Truncate(time.Second)),
		},
	}, once)
	if err != nil {
		return c.bucket.failed("shorten the lock of", c.Key, err)
	}
	return nil
}

// Encryption is how the service says it has encrypted the object, such as AES256;
// "" when it does not tell.
func (c Canary) Encryption(ctx context.Context) (string, error) {
	output, err := c.bucket.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &c.bucket.config.Bucket, Key: &c.Key}, once)
	if err != nil {
		return "", c.bucket.failed("head", c.Key, err)
	}
	return string(output.ServerSideEncryption), nil
}

func once(o *s3.Options) { o.RetryMaxAttempts = 1 }

// Refused reports whether an error is the answer of a service that understood
// the request and will not do it, and the HTTP status. An overloaded or failing
// service and a broken connection refuse nothing.
func Refused(err error) (status int, refused bool) {
	status = statusOf(err)
	passing := status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
	return status, status/100 == 4 && !passing
}
