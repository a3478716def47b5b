package audittest

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"vlens-archiver/internal/archivetest"
)

// What is done here goes past the program, with the SDK.

// Keys are the keys in the bucket that have all of the parts, in order.
func (a *Archive) Keys(parts ...string) []string {
	a.T.Helper()
	var keys []string
	for o, err := range a.Bucket.List(a.T.Context(), a.Layout.Prefix+"/") {
		if err != nil {
			a.T.Fatal(err)
		}
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(o.Key, part) }) {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

// KeyOf is the first of Keys.
func (a *Archive) KeyOf(parts ...string) string {
	a.T.Helper()
	keys := a.Keys(parts...)
	if len(keys) == 0 {
		a.T.Fatalf("no key with %q", parts)
	}
	return keys[0]
}

// AnImage and ARecord are keys of ExportedUser's first verification.
func (a *Archive) AnImage() string {
	a.T.Helper()
	return a.KeyOf(archivetest.SubjectOf(ExportedUser), "/id_back.")
}

// ARecord is the record beside AnImage.
func (a *Archive) ARecord() string {
	a.T.Helper()
	return a.KeyOf(archivetest.SubjectOf(ExportedUser), "/record.0001.json")
}

// Get reads an object.
func (a *Archive) Get(key string) archivetest.Object {
	a.T.Helper()
	got, err := a.S3.Client().GetObject(a.T.Context(), &s3.GetObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key})
	if err != nil {
		a.T.Fatalf("get %q: %v", key, err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		a.T.Fatal(err)
	}
	return archivetest.Object{Body: body, Metadata: got.Metadata, MIME: aws.ToString(got.ContentType)}
}

// Put writes an object, over one that is there, and returns its version id.
func (a *Archive) Put(key string, o archivetest.Object) (versionID string) {
	a.T.Helper()
	put, err := a.S3.Client().PutObject(a.T.Context(), &s3.PutObjectInput{
		Bucket: aws.String(archivetest.BucketName), Key: &key, Body: bytes.NewReader(o.Body),
		Metadata: o.Metadata, ContentType: aws.String(o.MIME), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		a.T.Fatal(err)
	}
	return aws.ToString(put.VersionId)
}

// Remove deletes an object, which leaves its versions where versions are kept.
func (a *Archive) Remove(key string) {
	a.T.Helper()
	_, err := a.S3.Client().DeleteObject(context.WithoutCancel(a.T.Context()), &s3.DeleteObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key})
	if err != nil {
		a.T.Fatal(err)
	}
}

// RemoveVersion deletes the latest version itself, as who may bypass everything.
func (a *Archive) RemoveVersion(key string) {
	a.T.Helper()
	ctx, client := a.T.Context(), a.S3.Client()
	head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key})
	if err != nil {
		a.T.Fatal(err)
	}
	if _, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(archivetest.BucketName), Key: &key, VersionId: head.VersionId}); err != nil {
		a.T.Fatal(err)
	}
}

// Overwrite puts other bytes in the place of the version that is there, as only
// who owns storage and ledger can: the ledger has the new version.
func (a *Archive) Overwrite(key string, change func([]byte) []byte) {
	a.T.Helper()
	o := a.Get(key)
	o.Body = change(o.Body)
	a.RemoveVersion(key)
	version := a.Put(key, o)
	for _, table := range []string{"images", "records"} {
		a.Edit(`UPDATE archive.`+table+` SET version_id = $2 WHERE key = $1`, key, version)
	}
}

// Flip changes one bit.
func Flip(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}

// SwapSignature changes the signature of a checkpoint, which ends with it.
func SwapSignature(b []byte) []byte {
	b[len(b)-20] ^= 1
	return b
}
