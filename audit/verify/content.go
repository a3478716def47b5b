package verify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

// checkContent looks at an image whose listing is as it should be, as deep as
// the mode says.
func (v *Verifier) checkContent(ctx context.Context, e expectation, sampled bool) error {
	switch {
	case e.doubted: // either its ETag or the ledger's may have been changed
		same, err := v.download(ctx, e)
		if same != nil {
			v.found.add(Finding{LedgerDiffers, e.Key, "the ledger's etag is not the object's, which is unchanged"})
		}
		return err
	case !sampled, v.Mode == store.VerifyDefault:
		return nil
	case v.Mode == store.VerifyChecksums:
		return v.checkHeld(ctx, e)
	}
	same, err := v.download(ctx, e)
	if same != nil {
		v.open(e, same)
	}
	return err
}

// checkHeld compares the SHA-256 that the service holds.
func (v *Verifier) checkHeld(ctx context.Context, e expectation) error {
	held, err := v.Bucket.Head(ctx, e.Key, e.version.VersionID)
	if err != nil {
		return v.unread(e.Key, err)
	}
	if err := v.checkLock(ctx, held); err != nil {
		return err
	}
	switch held.SHA256 {
	case e.SHA256:
	case "": // the service keeps none
		_, err = v.download(ctx, e)
		return err
	default:
		v.found.add(Finding{Changed, e.Key, fmt.Sprintf("the service holds SHA-256 %s, %s was recorded", held.SHA256, e.SHA256)})
	}
	return nil
}

// download reads the bytes of an image. They are nil when they are not the
// recorded ones, which is a finding.
func (v *Verifier) download(ctx context.Context, e expectation) (same []byte, err error) {
	content, object, err := v.Bucket.Get(ctx, e.Key, e.version.VersionID)
	if err != nil {
		return nil, v.unread(e.Key, err)
	}
	defer func() { _ = content.Close() }()
	if err := v.checkLock(ctx, object); err != nil {
		return nil, err
	}
	body := bytes.NewBuffer(make([]byte, 0, e.Bytes+bytes.MinRead)) // the listing has this size
	if _, err := body.ReadFrom(io.LimitReader(content, e.Bytes+1)); err != nil {
		return nil, fmt.Errorf("read %q: %w", e.Key, err)
	}
	v.progress.bytes.Add(int64(body.Len()))
	hash := audit.HashOf(body.Bytes())
	switch {
	case hash == e.SHA256:
		return body.Bytes(), nil
	case int64(body.Len()) < e.Bytes:
		v.found.add(Finding{Truncated, e.Key, fmt.Sprintf("only %d of %d bytes can be read", body.Len(), e.Bytes)})
	default:
		v.found.add(Finding{Changed, e.Key, fmt.Sprintf("its SHA-256 is %s, %s was recorded", hash, e.SHA256)})
	}
	return nil, nil
}

// open makes sure that an image opens. One that was cut when it came from the
// vendor was flagged then.
func (v *Verifier) open(e expectation, body []byte) {
	if slices.Contains(e.Flags, store.FlagTruncated) {
		return
	}
	problem := inspectImage(e.Image, body)
	if problem == "" && v.decode.has(e.Key) {
		var decoded bool
		if decoded, problem = decodePixels(body); decoded {
			v.progress.decoded.Add(1)
		}
	}
	if problem != "" {
		v.found.add(Finding{Undecodable, e.Key, problem})
	}
}
