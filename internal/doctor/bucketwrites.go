package doctor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
)

const (
	adviseCreateOnly   = "use a service that honours If-None-Match on PUT (AWS S3, versitygw and recent MinIO do): on this one evidence can be overwritten"
	adviseReplace      = "use a service that honours If-Match on PUT: on this one two processes can overwrite each other's checkpoint of the log"
	adviseChecksum     = "use a service that checks x-amz-checksum-sha256: this one would keep damaged bytes"
	adviseNoChecksum   = "nothing has to be done, but `verify --checksums` has to download every object at this service"
	adviseMetadata     = "use a service that keeps x-amz-meta-* headers: what was stored before is recognized by them"
	adviseConfirmation = "ask the service whether it encrypts: it took the wish and does not say that it did"
	adviseWrite        = "attach deploy/iam/writer-policy.json to the role, and allow it the KMS key"
)

const canaryPut = "bucket.create_only"

// writers is how many writes of one key are tried at once.
const writers = 8

func bucketWriteChecks() []check {
	return []check{
		{
			name: canaryPut, tried: "create an object, then write it again with the same and with other bytes and If-None-Match: *",
			remedies: []string{adviseCreateOnly, adviseWrite, adviseBucketReach}, needs: []string{bucketAccess},
			run: (*examination).tryCreateOnly,
		},
		{
			name: "bucket.concurrent", tried: "create one object by eight writers at once",
			remedies: []string{adviseCreateOnly, adviseBucketReach}, needs: []string{canaryPut},
			run: (*examination).tryConcurrent,
		},
		{
			name: "bucket.replace", tried: "replace an object by If-Match with its ETag, then with an ETag that is no longer true",
			remedies: []string{adviseReplace, adviseBucketReach}, needs: []string{canaryPut},
			run: (*examination).tryReplace,
		},
		{
			name: "bucket.checksum", tried: "write bytes with the SHA-256 of others, then ask for the checksum of an object",
			remedies: []string{adviseChecksum, adviseNoChecksum, adviseBucketReach}, needs: []string{canaryPut},
			run: (*examination).tryChecksum,
		},
		{
			name: "bucket.metadata", tried: "read back the metadata and the encryption of an object",
			remedies: []string{adviseMetadata, adviseConfirmation, adviseBucketReach}, needs: []string{canaryPut},
			run: (*examination).readMetadata,
		},
		lockCheck(),
		deleteCheck(),
	}
}

var (
	firstBytes = []byte("written by vlens-archiver doctor to try out this bucket\n")
	otherBytes = []byte("other bytes under the same key: this service overwrites\n")
)

func (e *examination) tryCreateOnly(ctx context.Context) finding {
	canary := e.useCanaries().named("create")
	if _, err := e.canaries.put(ctx, canary, bucket.CanaryPut{Body: firstBytes, Metadata: canaryMetadata}); err != nil {
		return notWritten(err, adviseCreateOnly)
	}
	for _, again := range []struct {
		what string
		body []byte
	}{{"the same bytes", firstBytes}, {"other bytes", otherBytes}} {
		_, err := e.canaries.put(ctx, canary, bucket.CanaryPut{Body: again.body})
		if err == nil {
			return broken(adviseCreateOnly, "the key was written a second time, with %s", again.what).with("key", canary.Key)
		}
		if !errors.Is(err, store.ErrExists) {
			return undecided(err, adviseCreateOnly)
		}
	}
	content, err := e.read(ctx, canary.Key)
	switch {
	case err != nil:
		return undecided(err, adviseBucketReach)
	case !bytes.Equal(content, firstBytes):
		return broken(adviseCreateOnly, "the second write was refused, and yet the bytes have changed").with("key", canary.Key)
	}
	return ok("the second write was refused, with the same and with other bytes").with("key", canary.Key)
}

// notWritten is the finding when a write that must succeed fails.
func notWritten(err error, unsupported string) finding {
	if status, refused := bucket.Refused(err); errors.Is(err, store.ErrDenied) {
		return failed(adviseWrite, err)
	} else if refused || status == 501 {
		return failed(unsupported, err)
	}
	return failed(adviseBucketReach, err)
}

// undecided is the finding when the answer says neither that the service does
// what is asked nor that it does not.
func undecided(err error, unsupported string) finding {
	if _, refused := bucket.Refused(err); refused {
		return failed(unsupported, err)
	}
	return failed(adviseBucketReach, err)
}

func (e *examination) read(ctx context.Context, key string) ([]byte, error) {
	body, _, err := e.bucket.Get(ctx, key, "")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, 1<<10))
}

func (e *examination) tryConcurrent(ctx context.Context) finding {
	canary := e.useCanaries().named("concurrent")
	errs := make([]error, writers)
	var group errgroup.Group
	for n := range writers {
		group.Go(func() error {
			_, errs[n] = e.canaries.put(ctx, canary, bucket.CanaryPut{Body: fmt.Appendf(nil, "writer %d\n", n)})
			return nil
		})
	}
	_ = group.Wait() // the writers report in errs

	won, winner := 0, 0
	for n, err := range errs {
		switch {
		case err == nil:
			won, winner = won+1, n
		case errors.Is(err, store.ErrExists), isConflict(err):
		default:
			return undecided(err, adviseCreateOnly)
		}
	}
	if won != 1 {
		return broken(adviseCreateOnly, "of %d writers at once %d were told that they created the object", writers, won).with("winners", won)
	}
	content, err := e.read(ctx, canary.Key)
	if err != nil {
		return undecided(err, adviseBucketReach)
	}
	if want := fmt.Sprintf("writer %d\n", winner); string(content) != want {
		return broken(adviseCreateOnly, "one writer was told that it created the object, and the object has the bytes of another")
	}
	return ok("one of %d writers created it, the others were refused", writers).with("winners", won)
}

// isConflict reports status 409, with which S3 answers a write while another one
// of the same key is under way.
func isConflict(err error) bool {
	status, _ := bucket.Refused(err)
	return status == 409
}

func (e *examination) tryReplace(ctx context.Context) finding {
	canary := e.useCanaries().named("replace")
	first, err := e.canaries.put(ctx, canary, bucket.CanaryPut{Body: firstBytes})
	if err != nil {
		return undecided(err, adviseReplace)
	}
	if _, err := e.canaries.put(ctx, canary, bucket.CanaryPut{Body: otherBytes, IfMatch: first.ETag}); err != nil {
		return undecided(err, adviseReplace)
	}
	_, err = e.canaries.put(ctx, canary, bucket.CanaryPut{Body: firstBytes, IfMatch: first.ETag})
	switch {
	case err == nil:
		return broken(adviseReplace, "an object was replaced by If-Match with an ETag that it no longer had")
	case !errors.Is(err, store.ErrExists):
		return undecided(err, adviseReplace)
	}
	return ok("the true ETag replaces the object, the old one is refused")
}

func (e *examination) tryChecksum(ctx context.Context) finding {
	canary := e.useCanaries().named("checksum")
	_, err := e.canaries.put(ctx, canary, bucket.CanaryPut{Body: firstBytes, ClaimedSHA256: sha256.Sum256(otherBytes)})
	if err == nil {
		return broken(adviseChecksum, "bytes were taken under the SHA-256 of others")
	}
	if _, refused := bucket.Refused(err); !refused || errors.Is(err, store.ErrDenied) {
		return failed(adviseBucketReach, err)
	}
	object, err := e.bucket.Head(ctx, e.canaries.named("create").Key, "")
	if err != nil {
		return undecided(err, adviseBucketReach)
	}
	sum := sha256.Sum256(firstBytes)
	switch object.SHA256 {
	case hex.EncodeToString(sum[:]):
		return ok("a wrong SHA-256 was refused, and the service tells the right one").with("told", true)
	case "":
		return warn(adviseNoChecksum, "a wrong SHA-256 was refused, but the service does not tell the one it holds").with("told", false)
	}
	return broken(adviseChecksum, "the service tells another SHA-256 than that of the bytes")
}

var canaryMetadata = map[string]string{"sha256": "0123456789abcdef", "fetched-at": "2026-01-31T12:00:00Z"}

func (e *examination) readMetadata(ctx context.Context) finding {
	canary := e.useCanaries().named("create")
	object, err := e.bucket.Head(ctx, canary.Key, "")
	if err != nil {
		return undecided(err, adviseBucketReach)
	}
	if !maps.Equal(object.Metadata, canaryMetadata) {
		return broken(adviseMetadata, "of %d metadata entries %d came back as they were written", len(canaryMetadata), kept(object.Metadata))
	}
	encryption, err := canary.Encryption(ctx)
	if err != nil {
		return undecided(err, adviseBucketReach)
	}
	wanted := map[string]string{config.EncryptionNone: "", config.EncryptionSSES3: "AES256", config.EncryptionSSEKMS: "aws:kms"}[e.cfg.Archive.Encryption.Mode]
	if wanted != "" && encryption != wanted {
		return warn(adviseConfirmation, "metadata came back; %s was asked for, the service says %q", wanted, encryption).with("encryption", encryption)
	}
	return ok("metadata and encryption are as asked for").with("encryption", encryption)
}

// kept is how many entries of the canary's metadata came back as they were.
func kept(there map[string]string) int {
	n := 0
	for name, value := range canaryMetadata {
		if there[name] == value {
			n++
		}
	}
	return n
}
