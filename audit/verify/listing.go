package verify

import (
	"context"
	"iter"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

// cover says what lies over a version of the key, "" when it is the latest.
func cover(key audit.Versions, version store.Object) string {
	switch top := key.All[0]; {
	case top.VersionID == version.VersionID:
		return ""
	case top.DeleteMarker:
		return "a delete marker lies over version " + named(version.VersionID)
	default:
		return "version " + named(top.VersionID) + " lies over version " + named(version.VersionID)
	}
}

// named is a version id as people read it.
func named(versionID string) string {
	if versionID == "" {
		return "null"
	}
	return versionID
}

// listing reads the bucket's listing one key at a time. Its owner closes it.
type listing struct {
	next   func() (audit.Versions, error, bool)
	close  func()
	peeked *audit.Versions // read, and not taken yet
}

func (v *Verifier) list(ctx context.Context, prefix string) *listing {
	next, stop := iter.Pull2(audit.Keys(ctx, v.Bucket, prefix))
	return &listing{next: next, close: stop}
}

// take takes the next key when it starts with prefix, and reports whether it did.
func (l *listing) take(prefix string) (audit.Versions, bool, error) {
	return l.takeIf(func(key string) bool { return strings.HasPrefix(key, prefix) })
}

func (l *listing) takeIf(fits func(key string) bool) (audit.Versions, bool, error) {
	if l.peeked == nil {
		next, err, more := l.next()
		if err != nil || !more {
			return audit.Versions{}, false, err
		}
		l.peeked = &next
	}
	if !fits(l.peeked.Key) {
		return audit.Versions{}, false, nil
	}
	taken := *l.peeked
	l.peeked = nil
	return taken, true, nil
}
