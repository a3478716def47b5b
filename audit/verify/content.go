package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"vlens-archiver/store"
)

// checkContent looks at an image whose listing is as it should be, as deep as
// the mode says.
func (v *Verifier) checkContent(ctx context.Context, e expectation, sampled bool) error {
	switch {
	case e.doubted:
		return v.resolveDoubt(ctx, e)
	case !sampled, v.Mode == store.VerifyDefault:
		return nil
	case v.Mode == store.VerifyChecksums:
		return v.checkHeld(ctx, e)
	}
	return v.download(ctx, e, func(body []byte, same bool) {
		if same {
			v.open(e, body)
		}
	})
}

// resolveDoubt downloads an image whose ETag is not the ledger's: either may
// have been changed.
func (v *Verifier) resolveDoubt(ctx context.Context, e expectation) error {
	return v.download(ctx, e, func(_ []byte, same bool) {
		if same {
			v.found.add(Finding{LedgerDiffers, e.Key, "the ledger's etag is not the object's, which is unchanged"})
		}
	})
}

// checkHeld compares the SHA-256 that the service holds.
func (v *Verifier) checkHeld(ctx context.Context, e expectation) error {
	held, err := v.Bucket.Head(ctx, e.Key, e.version.VersionID)
	if errors.Is(err, store.ErrNotFound) {
		v.found.add(Finding{Missing, e.Key, "it is listed and cannot be read"})
		return nil
	}
	if err != nil {
		return err
	}
	if err := v.checkLock(ctx, held); err != nil {
		return err
	}
	switch held.SHA256 {
	case e.SHA256:
	case "": // the service keeps none
		return v.download(ctx, e, func([]byte, bool) {})
	default:
		v.found.add(Finding{Changed, e.Key, fmt.Sprintf("the service holds SHA-256 %s, %s was recorded", held.SHA256, e.SHA256)})
	}
	return nil
}

// buffers keep the bytes of images while they are hashed and opened.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// download reads the bytes of an image, compares their hash, and gives them to
// use, which must not keep them.
func (v *Verifier) download(ctx context.Context, e expectation, use func(body []byte, same bool)) error {
	content, object, err := v.Bucket.Get(ctx, e.Key, e.version.VersionID)
	if errors.Is(err, store.ErrNotFound) {
		v.found.add(Finding{Missing, e.Key, "it is listed and cannot be read"})
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	if err := v.checkLock(ctx, object); err != nil {
		return err
	}

	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	buffer.Reset()
	buffer.Grow(int(e.Bytes) + bytes.MinRead) // the listing has this size
	if _, err := buffer.ReadFrom(io.LimitReader(content, e.Bytes+1)); err != nil {
		return fmt.Errorf("read %q: %w", e.Key, err)
	}
	v.progress.bytes.Add(int64(buffer.Len()))
	sum := sha256.Sum256(buffer.Bytes())
	hash := hex.EncodeToString(sum[:])
	switch {
	case hash == e.SHA256:
		use(buffer.Bytes(), true)
	case int64(buffer.Len()) < e.Bytes:
		v.found.add(Finding{Truncated, e.Key, fmt.Sprintf("only %d of %d bytes can be read", buffer.Len(), e.Bytes)})
		use(nil, false)
	default:
		v.found.add(Finding{Changed, e.Key, fmt.Sprintf("its SHA-256 is %s, %s was recorded", hash, e.SHA256)})
		use(nil, false)
	}
	return nil
}

// open makes sure that an image opens. One that was cut when it came from the
// vendor was flagged then.
func (v *Verifier) open(e expectation, body []byte) {
	if slices.Contains(e.Flags, store.FlagTruncated) {
		return
	}
	problem := inspectImage(e.Image, body)
	if problem == "" && v.decode.has(e.Key) {
		v.progress.decoded.Add(1)
		problem = decodePixels(body)
	}
	if problem != "" {
		v.found.add(Finding{Undecodable, e.Key, problem})
	}
}
