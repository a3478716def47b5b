package archivetest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Object is an object of the bucket, read with the SDK and nothing of ours.
type Object struct {
	Body     []byte
	Metadata map[string]string
	MIME     string
}

// Objects reads the whole bucket.
func (tn *Tenant) Objects() map[string]Object {
	tn.T.Helper()
	return tn.ObjectsUnder("")
}

// ObjectsUnder reads the objects whose keys begin so. An object that the listing
// shows as it was when it was last read is not read again.
func (tn *Tenant) ObjectsUnder(prefix string) map[string]Object {
	tn.T.Helper()
	all := make(map[string]Object)
	pages := s3.NewListObjectsV2Paginator(tn.S3.Client(), &s3.ListObjectsV2Input{Bucket: aws.String(BucketName), Prefix: aws.String(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(tn.T.Context())
		if err != nil {
			tn.T.Fatal(err)
		}
		for _, entry := range page.Contents {
			state := fmt.Sprint(*entry.Key, *entry.ETag, *entry.Size, *entry.LastModified)
			all[*entry.Key] = tn.readOnce(state, &s3.GetObjectInput{Bucket: aws.String(BucketName), Key: entry.Key})
		}
	}
	return all
}

// readOnce reads an object, or takes what was read in the same state before. The
// caller may change the result.
func (tn *Tenant) readOnce(state string, request *s3.GetObjectInput) Object {
	tn.T.Helper()
	read, found := tn.read.Load(state)
	if !found {
		got, err := tn.S3.Client().GetObject(tn.T.Context(), request)
		if err != nil {
			tn.T.Fatal(err)
		}
		defer got.Body.Close()
		body, err := io.ReadAll(got.Body)
		if err != nil {
			tn.T.Fatal(err)
		}
		read = Object{Body: body, Metadata: got.Metadata, MIME: aws.ToString(got.ContentType)}
		tn.read.Store(state, read)
	}
	object := read.(Object)
	object.Body, object.Metadata = bytes.Clone(object.Body), maps.Clone(object.Metadata)
	return object
}

// UnderSubjects reports whether an object is an image or a record.
func UnderSubjects(key string) bool { return strings.HasPrefix(key, Prefix+"/subjects/") }
