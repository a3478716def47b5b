package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

// checkers is how many objects are read at a time.
const checkers = 8

// check reads the images in a bucket and compares their hashes with what must be
// there. Other objects, such as records, are the client's own business.
func (f *field) check(ctx context.Context, bucket string, expected map[string]int) error {
	client := f.site.S3.Client()
	var mu sync.Mutex
	found := map[string]int{}
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(checkers)
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() && reading.Err() == nil {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return errors.Join(fmt.Errorf("check the bucket: %w", err), group.Wait())
		}
		for _, object := range page.Contents {
			if !strings.HasSuffix(*object.Key, ".jpg") {
				continue
			}
			group.Go(func() error {
				sum, err := hashOf(reading, client, bucket, *object.Key)
				mu.Lock()
				defer mu.Unlock()
				found[sum]++
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("check the bucket: %w", err)
	}
	return differences(expected, found)
}

func hashOf(ctx context.Context, client *s3.Client, bucket, key string) (string, error) {
	output, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", err
	}
	defer output.Body.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, output.Body); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// differences is an error unless the same images are there, each as often.
func differences(expected, found map[string]int) error {
	missing, wrong := 0, 0
	for sum, n := range expected {
		missing += max(0, n-found[sum])
	}
	for sum, n := range found {
		wrong += max(0, n-expected[sum])
	}
	if missing+wrong > 0 {
		return fmt.Errorf("the bucket lacks %d images and has %d that do not belong there", missing, wrong)
	}
	return nil
}

// empty gives the disk space of a bucket back: the server's storage is a folder.
func (f *field) empty(bucket string) error {
	if err := os.RemoveAll(filepath.Join(f.site.Dir, "s3", "objects", bucket)); err != nil {
		return fmt.Errorf("empty bucket %q: %w", bucket, err)
	}
	return nil
}
