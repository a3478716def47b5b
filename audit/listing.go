package audit

import (
	"context"
	"iter"
	"slices"
	"strings"

	"vlens-archiver/store"
)

// keptVersions of one key are looked at. Only the checkpoint has many: one for
// each seal.
const keptVersions = 10_000

// object is a key with its versions, the latest first, delete markers included.
type object struct {
	key      string
	versions []store.Object
}

// latest is the newest version that is no delete marker.
func (o object) latest() (store.Object, bool) {
	n := slices.IndexFunc(o.versions, isVersion)
	if n < 0 {
		return store.Object{}, false
	}
	return o.versions[n], true
}

// first is the oldest version: what was written create-only.
func (o object) first() (store.Object, bool) {
	for _, version := range slices.Backward(o.versions) {
		if isVersion(version) {
			return version, true
		}
	}
	return store.Object{}, false
}

func isVersion(o store.Object) bool { return !o.DeleteMarker }

// covered says what lies over the version, "" when it is the latest.
func (o object) covered(version store.Object) string {
	switch top := o.versions[0]; {
	case top.VersionID == version.VersionID:
		return ""
	case top.DeleteMarker:
		return "a delete marker lies over version " + named(version.VersionID)
	default:
		return "version " + named(top.VersionID) + " lies over version " + named(version.VersionID)
	}
}

func named(versionID string) string {
	if versionID == "" {
		return "null"
	}
	return versionID
}

// listing reads the bucket's listing one key at a time. Its owner closes it.
type listing struct {
	next   func() (store.Object, error, bool)
	close  func()
	ahead  *store.Object // read, and not given yet
	peeked *object
}

func (v *Verifier) list(ctx context.Context, prefix string) *listing {
	next, stop := iter.Pull2(v.Bucket.ListVersions(ctx, prefix))
	return &listing{next: next, close: stop}
}

// take gives the next key when it starts with prefix, and reports whether it did.
func (l *listing) take(prefix string) (object, bool, error) {
	return l.takeIf(func(key string) bool { return strings.HasPrefix(key, prefix) })
}

// before gives the next key when it comes before key.
func (l *listing) before(key string) (object, bool, error) {
	return l.takeIf(func(next string) bool { return next < key })
}

func (l *listing) takeIf(fits func(key string) bool) (object, bool, error) {
	if l.peeked == nil {
		o, err := l.read()
		if err != nil || o.key == "" {
			return object{}, false, err
		}
		l.peeked = &o
	}
	if !fits(l.peeked.key) {
		return object{}, false, nil
	}
	o := *l.peeked
	l.peeked = nil
	return o, true, nil
}

// read gives the next key; an empty one at the end.
func (l *listing) read() (object, error) {
	var o object
	for {
		if l.ahead == nil {
			next, err, ok := l.next()
			if err != nil {
				return object{}, err
			}
			if !ok {
				return o, nil
			}
			l.ahead = &next
		}
		if o.key != "" && l.ahead.Key != o.key {
			return o, nil
		}
		o.key = l.ahead.Key
		if len(o.versions) < keptVersions {
			o.versions = append(o.versions, *l.ahead)
		} else if isVersion(*l.ahead) {
			o.versions[keptVersions-1] = *l.ahead // the oldest always stays
		}
		l.ahead = nil
	}
}
