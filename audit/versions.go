package audit

import (
	"context"
	"iter"

	"vlens-archiver/store"
)

// keptVersions of one key are looked at. Only the checkpoint has many: one for
// each seal.
const keptVersions = 10_000

// Versions is a key with its versions, the newest first, delete markers included.
type Versions struct {
	Key string
	All []store.Object
}

// Latest is the newest version that is no delete marker.
func (v Versions) Latest() (store.Object, bool) {
	for _, version := range v.All {
		if !version.DeleteMarker {
			return version, true
		}
	}
	return store.Object{}, false
}

// First is the oldest version that is no delete marker: of a key that is written
// once, what was written. Whatever lies over it came later.
func (v Versions) First() (store.Object, bool) {
	for n := len(v.All) - 1; n >= 0; n-- {
		if !v.All[n].DeleteMarker {
			return v.All[n], true
		}
	}
	return store.Object{}, false
}

func (v *Versions) add(version store.Object) {
	switch {
	case len(v.All) < keptVersions:
		v.All = append(v.All, version)
	case !version.DeleteMarker:
		v.All[keptVersions-1] = version // the oldest is always kept
	}
}

// Keys lists what is stored under a prefix, key by key, in their order. An error
// is the last that it yields.
func Keys(ctx context.Context, from Lister, prefix string) iter.Seq2[Versions, error] {
	return func(yield func(Versions, error) bool) {
		var key Versions
		for version, err := range from.ListVersions(ctx, prefix) {
			if err != nil {
				yield(Versions{}, err)
				return
			}
			if version.Key != key.Key {
				if key.Key != "" && !yield(key, nil) {
					return
				}
				key = Versions{Key: version.Key}
			}
			key.add(version)
		}
		if key.Key != "" {
			yield(key, nil)
		}
	}
}
