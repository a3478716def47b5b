package bucket_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
)

func TestPlainBucketHasNoVersionIDs(t *testing.T) {
	t.Parallel()
	b := openAt(t, s3server.ForTest(t), "plain", s3server.Plain, bucket.Config{})
	put, created, err := b.Put(t.Context(), putRequest())
	if err != nil || !created || put.VersionID != "" {
		t.Fatalf("%+v, created %t, %v", put, created, err)
	}
	head, err := b.Head(t.Context(), put.Key, "")
	if err != nil || head.VersionID != "" || head.SHA256 != payloadHex {
		t.Fatalf("%+v, %v", head, err)
	}
	for listed, err := range b.ListVersions(t.Context(), "") {
		if err != nil || listed.VersionID != "" || !listed.Latest {
			t.Fatalf("%+v, %v", listed, err)
		}
	}
}

// A deleted object is missing; its versions are still there, under the marker.
func TestDeleteMarkers(t *testing.T) {
	t.Parallel()
	const keys = 400 // with three entries each, more than a page of 1,000
	server := s3server.ForTest(t)
	b := openAt(t, server, "versions", s3server.Versioned, bucket.Config{})
	client := server.Client()
	var writers errgroup.Group
	writers.SetLimit(8)
	for i := range keys {
		writers.Go(func() error {
			request := putRequest()
			request.Key = fmt.Sprintf("k%04d", i)
			if _, _, err := b.Put(t.Context(), request); err != nil {
				return err
			}
			if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("versions"), Key: &request.Key}); err != nil {
				return err
			}
			// Not with our Put: for versitygw, unlike S3, a delete marker stands in
			// the way of a create-only write.
			_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("versions"), Key: &request.Key, Body: request.Body})
			return err
		})
	}
	if err := writers.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("versions"), Key: aws.String("k0000")}); err != nil {
		t.Fatal(err)
	}

	seen := map[string]bool{}
	last, entries, markers := "", 0, 0
	var marker string
	for listed, err := range b.ListVersions(t.Context(), "k") {
		if err != nil {
			t.Fatal(err)
		}
		if listed.VersionID == "" || seen[listed.VersionID] {
			t.Fatalf("%q has version %q without or for the second time", listed.Key, listed.VersionID)
		}
		seen[listed.VersionID] = true
		if listed.Key < last {
			t.Fatalf("%q after %q", listed.Key, last)
		}
		if listed.Latest != (listed.Key != last) {
			t.Fatalf("%q: the first entry of a key is the latest, no other: %+v", listed.Key, listed)
		}
		if listed.Latest && listed.DeleteMarker != (listed.Key == "k0000") {
			t.Fatalf("%+v", listed)
		}
		last = listed.Key
		entries++
		if listed.DeleteMarker {
			markers++
			if listed.Key == "k0000" {
				marker = listed.VersionID
			}
		}
	}
	if entries != keys*3+1 || markers != keys+1 {
		t.Fatalf("%d entries, %d markers", entries, markers)
	}
	for _, versionID := range []string{"", marker} {
		if _, err := b.Head(t.Context(), "k0000", versionID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("version %q: %v", versionID, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	server := s3server.ForTest(t)
	if err := server.CreateBucket(t.Context(), "unlocked", s3server.Versioned); err != nil {
		t.Fatal(err)
	}
	good := bucket.Config{
		Bucket: "unlocked", Region: s3server.Region, Endpoint: server.Endpoint(), ForcePathStyle: true,
		AccessKey: server.AccessKey(), SecretKey: store.Sensitive(server.SecretKey()),
	}
	tests := []struct {
		name  string
		spoil func(*bucket.Config)
		want  error
		text  string
	}{
		{"no such bucket", func(c *bucket.Config) { c.Bucket = "elsewhere" }, store.ErrBucketMissing, `"elsewhere"`},
		{"unknown access key", func(c *bucket.Config) { c.AccessKey = "unknown" }, store.ErrDenied, "credentials"},
		{"wrong secret", func(c *bucket.Config) { c.SecretKey = "wrong" }, store.ErrDenied, "credentials"},
		{"lock on a bucket without", func(c *bucket.Config) {
			c.ObjectLock = bucket.ObjectLock{Mode: bucket.LockCompliance, Days: 1}
		}, store.ErrBucketRefuses, "Bucket is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := good
			test.spoil(&cfg)
			b := open(t, cfg)
			_, _, err := b.Put(t.Context(), putRequest())
			if err == nil || !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("Put: %v", err)
			}
			if errors.Is(test.want, store.ErrBucketRefuses) {
				return // it is writing that is refused
			}
			for _, listing := range []func() error{
				func() error { return last(b.List(t.Context(), "")) },
				func() error { return last(b.ListVersions(t.Context(), "")) },
			} {
				if err := listing(); !errors.Is(err, test.want) {
					t.Errorf("listing: %v", err)
				}
			}
		})
	}
}

func last(listing func(func(store.Object, error) bool)) (failure error) {
	for _, err := range listing {
		failure = err
	}
	return failure
}

// Writes go on when the server is killed and comes back while they are tried.
func TestServerComesBack(t *testing.T) {
	t.Parallel()
	server := s3server.ForTest(t)
	b := openAt(t, server, "archive", s3server.Versioned, bucket.Config{Attempts: 10})
	if _, _, err := b.Put(t.Context(), putRequest()); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	var puts errgroup.Group
	for i := range 8 {
		puts.Go(func() error {
			request := putRequest()
			request.Key = fmt.Sprintf("while-away-%d", i)
			_, _, err := b.Put(t.Context(), request)
			return err
		})
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := puts.Wait(); err != nil {
		t.Fatal(err)
	}
	if head, err := b.Head(t.Context(), putRequest().Key, ""); err != nil || head.SHA256 != payloadHex {
		t.Fatalf("%+v, %v", head, err)
	}
}
