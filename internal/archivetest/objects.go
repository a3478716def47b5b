package archivetest

import (
	"io"
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

// ObjectsUnder reads the objects whose keys begin so.
func (tn *Tenant) ObjectsUnder(prefix string) map[string]Object {
	tn.T.Helper()
	ctx := tn.T.Context()
	client := tn.S3.Client()
	all := make(map[string]Object)
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(BucketName), Prefix: aws.String(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			tn.T.Fatal(err)
		}
		for _, entry := range page.Contents {
			got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(BucketName), Key: entry.Key})
			if err != nil {
				tn.T.Fatal(err)
			}
			body, err := io.ReadAll(got.Body)
			got.Body.Close()
			if err != nil {
				tn.T.Fatal(err)
			}
			all[*entry.Key] = Object{Body: body, Metadata: got.Metadata, MIME: aws.ToString(got.ContentType)}
		}
	}
	return all
}

// UnderSubjects reports whether an object is an image or a record.
func UnderSubjects(key string) bool { return strings.HasPrefix(key, Prefix+"/subjects/") }
