package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"

	"vlens-archiver/store"
)

// RunBucketSuite states the contract of Bucket. open returns an empty bucket
// that keeps versions; each part of the suite asks for one of its own.
func RunBucketSuite(t *testing.T, open func(t *testing.T) Bucket) {
	parts := []struct {
		name string
		run  func(bucketContract)
	}{
		{"created objects come back whole", bucketContract.roundTrip},
		{"an empty body is an object", bucketContract.emptyBody},
		{"the same bytes again are a success", bucketContract.sameBytes},
		{"other bytes are refused", bucketContract.otherBytes},
		{"a wrong checksum stores nothing", bucketContract.wrongChecksum},
		{"what is missing is not found", bucketContract.missing},
		{"a replacement needs the right ETag", bucketContract.replacement},
		{"the lock is on all but the unlocked", bucketContract.locks},
		{"listings are in key order and by prefix", bucketContract.order},
		{"listings go on after a page", bucketContract.pages},
		{"one of many equal writers creates", bucketContract.equalWriters},
		{"one of many different writers wins", bucketContract.differentWriters},
		{"a cancelled call says so", bucketContract.cancelled},
	}
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(bucketContract{t, open(t)})
		})
	}
}

// bucketContract is one part of the suite at work on its bucket.
type bucketContract struct {
	*testing.T
	Bucket
}

func objectRequest(key, body string) store.PutRequest {
	return store.PutRequest{
		Key:         key,
		Body:        strings.NewReader(body),
		Size:        int64(len(body)),
		ContentType: "image/jpeg",
		SHA256:      sha256.Sum256([]byte(body)),
		Metadata:    map[string]string{"sha256": sha256Hex(body), "fetched-at": "2025-01-02T03:04:05Z"},
	}
}

func sha256Hex(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func (c bucketContract) create(r store.PutRequest) store.Object {
	c.Helper()
	object, created, err := c.Put(c.Context(), r)
	if err != nil {
		c.Fatal(err)
	}
	if !created {
		c.Fatalf("%q was there already", r.Key)
	}
	return object
}

func (c bucketContract) read(key, versionID string) (string, store.Object) {
	c.Helper()
	body, object, err := c.Get(c.Context(), key, versionID)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	text, err := io.ReadAll(body)
	if err != nil {
		c.Fatal(err)
	}
	return string(text), object
}

func (c bucketContract) collect(listing iter.Seq2[store.Object, error]) []store.Object {
	c.Helper()
	var all []store.Object
	for object, err := range listing {
		if err != nil {
			c.Fatal(err)
		}
		all = append(all, object)
	}
	return all
}

func (c bucketContract) wantError(err, want error) {
	c.Helper()
	if !errors.Is(err, want) {
		c.Fatalf("got %v, want %v", err, want)
	}
}

func (c bucketContract) cancelled() {
	c.create(objectRequest("k", "bytes"))
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	_, _, putErr := c.Put(ctx, objectRequest("other", "bytes"))
	_, headErr := c.Head(ctx, "k", "")
	_, _, getErr := c.Get(ctx, "k", "")
	var listErr error
	for _, err := range c.List(ctx, "") {
		listErr = err
	}
	for name, err := range map[string]error{"Put": putErr, "Head": headErr, "Get": getErr, "List": listErr} {
		if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable) {
			c.Errorf("%s: %v", name, err)
		}
	}
	if text, _ := c.read("k", ""); text != "bytes" {
		c.Errorf("got %q", text)
	}
}
