package storetest_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/store/storetest"
)

func TestMemoryBucket(t *testing.T) {
	t.Parallel()
	for name, location := range map[string]store.Location{
		"plain":  {Bucket: "memory", LockMode: "none"},
		"locked": {Bucket: "memory", LockMode: "compliance", LockDays: 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.RunBucketSuite(t, func(t *testing.T) storetest.Bucket { return storetest.NewMemoryBucket(t, location) })
		})
	}
}

func put(t *testing.T, b storetest.Bucket, key, body, ifMatch string) (store.Object, error) {
	t.Helper()
	object, _, err := b.Put(t.Context(), store.PutRequest{
		Key: key, Body: strings.NewReader(body), Size: int64(len(body)), SHA256: sha256.Sum256([]byte(body)), IfMatch: ifMatch,
	})
	return object, err
}

// accused is a test that notes that it would have failed.
type accused struct {
	testing.TB
	errors []string
}

func (a *accused) Errorf(format string, args ...any) {
	a.errors = append(a.errors, fmt.Sprintf(format, args...))
}

func TestMemoryBucketAccusesReplacement(t *testing.T) {
	t.Parallel()
	suspect := &accused{TB: t}
	b := storetest.NewMemoryBucket(suspect, store.Location{})
	for _, key := range []string{"p/archive.json", "p/subjects/ab/abc/t/record.0001.json", "p/runs/2025/01/02/r/summary.json", "p/log/tile/0/000"} {
		suspect.errors = nil
		first, err := put(t, b, key, "one", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := put(t, b, key, "two", first.ETag); !errors.Is(err, store.ErrExists) || len(suspect.errors) != 1 {
			t.Errorf("%s: %v, accusations %q", key, err, suspect.errors)
		}
	}
	suspect.errors = nil
	first, err := put(t, b, "p/log/checkpoint", "one", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := put(t, b, "p/log/checkpoint", "two", first.ETag); err != nil || len(suspect.errors) != 0 {
		t.Errorf("checkpoint: %v, accusations %q", err, suspect.errors)
	}
}

func TestMemoryBucketFaults(t *testing.T) {
	t.Parallel()
	keys := map[storetest.KeyClass]string{
		storetest.ClassArchive:    "p/archive.json",
		storetest.ClassImage:      "p/subjects/ab/abc/t/face_1.0123.jpg",
		storetest.ClassRecord:     "p/subjects/ab/abc/t/record.0001.json",
		storetest.ClassRun:        "p/runs/2025/01/02/r/checkpoint",
		storetest.ClassTile:       "p/log/tile/entries/000",
		storetest.ClassCheckpoint: "p/log/checkpoint",
		storetest.ClassAudit:      "p/audit/2025/01/02/x.json",
		storetest.ClassOther:      "p/else",
	}
	for class, key := range keys {
		for _, stored := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s stored %t", class, stored), func(t *testing.T) {
				t.Parallel()
				if got := storetest.ClassOf(key); got != class {
					t.Fatalf("class %q, want %q", got, class)
				}
				b := storetest.NewMemoryBucket(t, store.Location{})
				b.FailPuts(class, storetest.Fault{Err: store.ErrDenied, Stored: stored}, storetest.Fault{}, storetest.Fault{Err: store.ErrUnavailable})
				for i, want := range []error{store.ErrDenied, nil, store.ErrUnavailable, nil} {
					if _, err := put(t, b, key, "bytes", ""); !errors.Is(err, want) {
						t.Fatalf("put %d: %v, want %v", i, err, want)
					}
					_, err := b.Head(t.Context(), key, "")
					if there := err == nil; there != (stored || i > 0) {
						t.Fatalf("after put %d the object is there: %t", i, there)
					}
				}
			})
		}
	}
}
