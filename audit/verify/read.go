package verify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

// read reads a small object. Of one that is larger than any of ours it gives the
// beginning, which is a finding like any other content that is not the recorded
// one.
func (v *Verifier) read(ctx context.Context, key, versionID string) ([]byte, error) {
	content, object, err := audit.ReadSmall(ctx, v.Bucket, key, versionID)
	if err != nil && !errors.Is(err, audit.ErrDamaged) {
		return nil, err
	}
	v.progress.bytes.Add(int64(len(content)))
	return content, v.checkLock(ctx, object)
}

// unread makes a finding of an object that was listed, and is not there or has to be
// restored before it can be read; any other err says that it could not be read.
func (v *Verifier) unread(key string, err error) error {
	finding, is := findingOf(key, err)
	if !is {
		return err
	}
	v.found.add(finding)
	return nil
}

func findingOf(key string, err error) (finding Finding, is bool) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Finding{Missing, key, "it is listed and cannot be read"}, true
	case errors.Is(err, store.ErrCold):
		return Finding{Cold, key, "it has to be restored before it can be read"}, true
	}
	return Finding{}, false
}

// sortOfBroken is the finding for bytes that do not parse: cut, or changed.
func sortOfBroken(err error) Sort {
	syntax, isSyntax := errors.AsType[*json.SyntaxError](err)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || isSyntax && strings.Contains(syntax.Error(), "unexpected end") {
		return Truncated
	}
	return Changed
}
