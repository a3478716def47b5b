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

// canaries are the small objects that one examination puts into the bucket, under
// <prefix>/doctor/<time and a random part>/.
type canaries struct {
	bucket  *bucket.Bucket
	layout  manifest.Layout
	trial   string // the last part of that path
	removed bool

	// In a bucket that locks by default the canaries ask for a short lock of their
	// own, so that they do not stay for years.
	lockMode  string
	lockUntil time.Time
}

func (e *examination) layout() manifest.Layout { return manifest.Layout{Prefix: e.cfg.Archive.Prefix} }

// useCanaries is the canaries of this examination; the first check that needs them
// names them.
func (e *examination) useCanaries() *canaries {
	if e.canaries == nil {
		at := e.setup.Now().UTC().Format("20060102t150405z")
		e.canaries = &canaries{bucket: e.bucket, layout: e.layout(), trial: at + "-" + strings.ToLower(rand.Text()[:8])}
		if e.lock.DefaultMode != "" {
			e.canaries.lockMode, e.canaries.lockUntil = e.lock.DefaultMode, e.lockEnd()
		}
	}
	return e.canaries
}

func (c *canaries) named(name string) bucket.Canary {
	return c.bucket.Canary(c.layout.Canary(c.trial, name))
}

// put writes one canary, with the short lock unless it asks for a lock itself.
func (c *canaries) put(ctx context.Context, canary bucket.Canary, put bucket.CanaryPut) (store.Object, error) {
	if put.LockMode == "" {
		put.LockMode, put.LockUntil = c.lockMode, c.lockUntil
	}
	return canary.Put(ctx, put)
}

// place is where the canaries are.
func (c *canaries) place() string { return c.layout.Canary(c.trial, "") + "/" }

// remove deletes every version and delete marker of the canaries, as far as the
// role may, and returns how many stay. A second call does nothing.
func (c *canaries) remove(ctx context.Context) (left int) {
	if c.removed {
		return 0
	}
	c.removed = true
	for version, err := range c.bucket.ListVersions(ctx, c.place()) {
		if err != nil {
			return left
		}
		if c.bucket.Canary(version.Key).Delete(ctx, version.VersionID, false) != nil && !version.DeleteMarker {
			left++
		}
	}
	return left
}
