package doctor

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
)

// flock are the canaries of one examination, under <prefix>/doctor/<time and a
// random part>/.
type flock struct {
	bucket  *bucket.Bucket
	layout  manifest.Layout
	trial   string
	removed bool

	// In a bucket that locks by default, an own short lock keeps the canaries from
	// staying for years.
	lockMode  string
	lockUntil time.Time
}

func (e *examination) layout() manifest.Layout { return manifest.Layout{Prefix: e.cfg.Archive.Prefix} }

// flock are the canaries, which the first check that needs them names.
func (e *examination) flock() *flock {
	if e.canaries == nil {
		at := e.setup.Now().UTC().Format("20060102t150405z")
		e.canaries = &flock{bucket: e.bucket, layout: e.layout(), trial: at + "-" + strings.ToLower(rand.Text()[:8])}
		if e.lock.DefaultMode != "" {
			e.canaries.lockMode, e.canaries.lockUntil = e.lock.DefaultMode, e.lockEnd()
		}
	}
	return e.canaries
}

func (f *flock) named(name string) bucket.Canary {
	return f.bucket.Canary(f.layout.Canary(f.trial, name))
}

// put tries a write.
func (f *flock) put(ctx context.Context, canary bucket.Canary, put bucket.CanaryPut) (store.Object, error) {
	if put.LockMode == "" {
		put.LockMode, put.LockUntil = f.lockMode, f.lockUntil
	}
	return canary.Put(ctx, put)
}

// place is where the canaries are.
func (f *flock) place() string { return f.layout.Canary(f.trial, "") + "/" }

// remove takes away every version and marker of the canaries, as far as the role
// may, and returns how many stay. It does so once.
func (f *flock) remove(ctx context.Context) (left int) {
	if f.removed {
		return 0
	}
	f.removed = true
	for version, err := range f.bucket.ListVersions(ctx, f.place()) {
		if err != nil {
			return left
		}
		if f.bucket.Canary(version.Key).Delete(ctx, version.VersionID, false) != nil && !version.DeleteMarker {
			left++
		}
	}
	return left
}
