package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

// downloadAll is the plain program: it lists the objects, downloads each with
// the AWS SDK and hashes it, as many at a time as the verification does, and
// prints how many bytes that were.
func downloadAll(ctx context.Context) error {
	environment, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(environment, func(o *s3.Options) {
		o.UsePathStyle = true
		o.BaseEndpoint = aws.String(os.Getenv("BENCH_ENDPOINT"))
	})
	keys := make(chan string, parallel)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(keys)
		pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(bucketName), Prefix: aws.String("vlens/subjects/")})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, object := range page.Contents {
				select {
				case keys <- *object.Key:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	sizes := make([]int64, parallel)
	for n := range sizes {
		group.Go(func() error {
			for key := range keys {
				output, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucketName), Key: &key})
				if err != nil {
					return err
				}
				size, err := io.Copy(sha256.New(), output.Body)
				_ = output.Body.Close()
				if err != nil {
					return err
				}
				sizes[n] += size
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	var total int64
	for _, size := range sizes {
		total += size
	}
	_, err = fmt.Println(total)
	return err
}
