package bucket_test

import (
	"testing"

	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/storetest"
)

// openAt opens a new bucket of the server.
func openAt(t *testing.T, server *s3server.Server, name string, kind s3server.BucketKind, cfg bucket.Config) *bucket.Bucket {
	t.Helper()
	if err := server.CreateBucket(t.Context(), name, kind); err != nil {
		t.Fatal(err)
	}
	cfg.Bucket = name
	cfg.Region = s3server.Region
	cfg.Endpoint = server.Endpoint()
	cfg.ForcePathStyle = true
	cfg.AccessKey = server.AccessKey()
	cfg.SecretKey = store.Sensitive(server.SecretKey())
	return open(t, cfg)
}

func open(t *testing.T, cfg bucket.Config) *bucket.Bucket {
	t.Helper()
	b, err := bucket.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestContract(t *testing.T) {
	t.Parallel()
	for name, setup := range map[string]struct {
		kind s3server.BucketKind
		lock bucket.ObjectLock
	}{
		"versioned":  {kind: s3server.Versioned},
		"compliance": {s3server.Locked, bucket.ObjectLock{Mode: bucket.LockCompliance, Days: 3650}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.RunBucketSuite(t, func(t *testing.T) storetest.Bucket {
				return openAt(t, s3server.ForTest(t), "archive", setup.kind, bucket.Config{
					ObjectLock: setup.lock,
					Encryption: bucket.Encryption{Mode: bucket.EncryptionS3},
				})
			})
		})
	}
}
