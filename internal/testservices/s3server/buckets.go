package s3server

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// BucketKind says what a bucket keeps.
type BucketKind int

// The kinds of buckets.
const (
	Plain     BucketKind = iota // one version of each object
	Versioned                   // all versions
	Locked                      // all versions, and object locks are enforced
)

// Client speaks to the server with its only account, for what the product itself
// never does: making buckets and damaging what is in them.
func (s *Server) Client() *s3.Client {
	return s3.New(s3.Options{
		Region:       Region,
		BaseEndpoint: aws.String(s.Endpoint()),
		UsePathStyle: true,
		Credentials:  credentials.NewStaticCredentialsProvider(s.options.AccessKey, s.options.SecretKey, ""),
	})
}

// CreateBucket makes an empty bucket.
func (s *Server) CreateBucket(ctx context.Context, name string, kind BucketKind) error {
	client := s.Client()
	_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket:                     &name,
		ObjectLockEnabledForBucket: aws.Bool(kind == Locked),
	})
	if err != nil {
		return fmt.Errorf("create bucket %q: %w", name, err)
	}
	if kind == Plain {
		return nil
	}
	_, err = client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket:                  &name,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		return fmt.Errorf("keep versions in bucket %q: %w", name, err)
	}
	return nil
}
