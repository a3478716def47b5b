package s3server_test

import (
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"vlens-archiver/internal/testservices/s3server"
)

func TestObjectsSurviveAKill(t *testing.T) {
	t.Parallel()
	before, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	server := s3server.ForTest(t)
	t.Logf("ready after %s", time.Since(began).Round(time.Millisecond))
	ctx := t.Context()
	if err := server.CreateBucket(ctx, "kept", s3server.Versioned); err != nil {
		t.Fatal(err)
	}
	put, err := server.Client().PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("kept"), Key: aws.String("a/b"), Body: strings.NewReader("bytes")})
	if err != nil {
		t.Fatal(err)
	}
	endpoint := server.Endpoint()
	if err := server.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if server.Endpoint() != endpoint {
		t.Fatalf("endpoint changed from %s to %s", endpoint, server.Endpoint())
	}
	got, err := server.Client().GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("kept"), Key: aws.String("a/b"), VersionId: put.VersionId})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	if body, err := io.ReadAll(got.Body); err != nil || string(body) != "bytes" {
		t.Fatalf("got %q, %v", body, err)
	}
	if after, err := os.Getwd(); err != nil || after != before {
		t.Fatalf("working directory moved from %s to %s", before, after)
	}
}

func TestLockIsEnforced(t *testing.T) {
	t.Parallel()
	server := s3server.ForTest(t)
	ctx := t.Context()
	if err := server.CreateBucket(ctx, "locked", s3server.Locked); err != nil {
		t.Fatal(err)
	}
	put, err := server.Client().PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String("locked"), Key: aws.String("k"), Body: strings.NewReader("bytes"),
		ObjectLockMode: types.ObjectLockModeCompliance, ObjectLockRetainUntilDate: aws.Time(time.Now().Add(time.Hour)),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.Client().DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("locked"), Key: aws.String("k"), VersionId: put.VersionId})
	if err == nil {
		t.Fatal("a locked version was deleted")
	}
}

func TestFailedStartShowsTheLog(t *testing.T) {
	t.Parallel()
	server := s3server.ForTest(t)
	addr := strings.TrimPrefix(server.Endpoint(), "http://")
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	_, err := s3server.Start(t.Context(), s3server.Options{Dir: t.TempDir(), Addr: "256.0.0.1:" + addr[strings.LastIndex(addr, ":")+1:]})
	if err == nil || !strings.Contains(err.Error(), "s3server:") {
		t.Fatalf("the error does not carry the server's words: %v", err)
	}
}

func TestStopIsFinal(t *testing.T) {
	t.Parallel()
	server := s3server.ForTest(t)
	for range 2 {
		if err := server.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := server.Client().ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err == nil || !strings.Contains(err.Error(), syscall.ECONNREFUSED.Error()) {
		t.Fatalf("expected a refused connection, got %v", err)
	}
}
