package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vlens-archiver/store"
)

// MemoryBucket is a bucket with versioning in memory. It accuses: the test fails
// when an immutable key is to be replaced, and when what was stored has changed
// by the end of the test. It is safe for concurrent use.
type MemoryBucket struct {
	t        testing.TB
	location store.Location

	mu       sync.Mutex
	versions map[string][]objectVersion // by key, newest last
	written  int                        // versions so far
	faults   map[KeyClass][]Fault       // those of the next Puts
}

type objectVersion struct {
	store.Object
	body []byte
}

// Fault is how a Put goes wrong.
type Fault struct {
	Err error // what the caller gets
	// Stored makes the write take effect all the same, as when the answer to it
	// is lost.
	Stored bool
}

// NewMemoryBucket returns an empty bucket that says it is at location and puts
// the lock of location on objects.
func NewMemoryBucket(t testing.TB, location store.Location) *MemoryBucket {
	b := &MemoryBucket{t: t, location: location, versions: map[string][]objectVersion{}, faults: map[KeyClass][]Fault{}}
	t.Cleanup(b.accuse)
	return b
}

// FailPuts makes the next Puts of keys of a class go wrong, one for each fault.
// A zero Fault lets one Put pass.
func (b *MemoryBucket) FailPuts(class KeyClass, faults ...Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults[class] = append(b.faults[class], faults...)
}

// Put implements Bucket.
func (b *MemoryBucket) Put(ctx context.Context, request store.PutRequest) (object store.Object, created bool, err error) {
	body, err := objectBody(ctx, request)
	if err != nil {
		return store.Object{}, false, fmt.Errorf("put %q: %w", request.Key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fault := b.nextFault(ClassOf(request.Key))
	if fault.Err == nil || fault.Stored {
		object, created, err = b.put(request, body)
	}
	if fault.Err != nil {
		err = fault.Err
	}
	if err != nil {
		return store.Object{}, false, fmt.Errorf("put %q: %w", request.Key, err)
	}
	return object, created, nil
}

func objectBody(ctx context.Context, request store.PutRequest) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := request.Body.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	if int64(len(body)) != request.Size || sha256.Sum256(body) != request.SHA256 {
		return nil, errors.New("size or checksum is not that of the body")
	}
	return body, nil
}

func (b *MemoryBucket) nextFault(class KeyClass) Fault {
	faults := b.faults[class]
	if len(faults) == 0 {
		return Fault{}
	}
	b.faults[class] = faults[1:]
	return faults[0]
}

// put is called with mu held.
func (b *MemoryBucket) put(request store.PutRequest, body []byte) (store.Object, bool, error) {
	sum := hex.EncodeToString(request.SHA256[:])
	history := b.versions[request.Key]
	if len(history) == 0 {
		if request.IfMatch != "" {
			return store.Object{}, false, store.ErrNotFound
		}
		return b.write(request, body, sum), true, nil
	}
	latest := history[len(history)-1]
	switch {
	case request.IfMatch != "" && ClassOf(request.Key) != ClassCheckpoint:
		b.t.Errorf("immutable key %q was to be replaced", request.Key)
		return store.Object{}, false, store.ErrExists
	case request.IfMatch != "" && request.IfMatch == latest.ETag:
		return b.write(request, body, sum), true, nil
	case latest.SHA256 == sum:
		return latest.copied(), false, nil
	default:
		return store.Object{}, false, store.ErrExists
	}
}

// write is called with mu held.
func (b *MemoryBucket) write(request store.PutRequest, body []byte, sum string) store.Object {
	b.written++
	v := objectVersion{body: body, Object: store.Object{
		Key:          request.Key,
		VersionID:    "version-" + strconv.Itoa(b.written),
		ETag:         sum[:32],
		Size:         request.Size,
		LastModified: time.Now().UTC().Truncate(time.Second),
		SHA256:       sum,
		ContentType:  request.ContentType,
		Metadata:     map[string]string{},
	}}
	for name, value := range request.Metadata {
		v.Metadata[strings.ToLower(name)] = value
	}
	if !request.Unlocked && b.location.LockDays > 0 {
		v.LockMode = b.location.LockMode
		v.RetainUntil = time.Now().UTC().AddDate(0, 0, b.location.LockDays).Truncate(time.Second)
	}
	b.versions[request.Key] = append(b.versions[request.Key], v)
	return v.copied()
}

// Location implements Bucket.
func (b *MemoryBucket) Location() store.Location { return b.location }

func (v objectVersion) copied() store.Object {
	object := v.Object
	object.Metadata = maps.Clone(object.Metadata)
	return object
}

// accuse checks the whole state when the test ends.
func (b *MemoryBucket) accuse() {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := 0
	for key, history := range b.versions {
		if len(history) > 1 && ClassOf(key) != ClassCheckpoint {
			b.t.Errorf("immutable key %q has %d versions", key, len(history))
		}
		for _, v := range history {
			kept++
			if sum := sha256.Sum256(v.body); hex.EncodeToString(sum[:]) != v.SHA256 {
				b.t.Errorf("key %q: the stored bytes have changed", key)
			}
		}
	}
	if kept != b.written {
		b.t.Errorf("%d versions were stored, %d are left", b.written, kept)
	}
}
