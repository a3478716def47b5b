package verify_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

func TestUntouched(t *testing.T) {
	t.Parallel()
	for name, setup := range map[string]struct {
		kind s3server.BucketKind
		lock bucket.ObjectLock
	}{
		"plain":     {kind: s3server.Plain},
		"versioned": {kind: s3server.Versioned},
		"locked":    {s3server.Locked, bucket.ObjectLock{Mode: bucket.LockGovernance, Days: 30}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := audittest.NewIn(t, setup.kind, setup.lock, vlenstest.Options{People: 12})
			a.Run("first", nil)
			a.Run("second", nil)
			for _, mode := range []store.VerifyMode{store.VerifyDefault, store.VerifyChecksums, store.VerifyDeep} {
				report := check(a, mode)
				clean(t, report)
				if c := report.Counts; c.Images != 72 || c.Records != 12 || c.Runs != 2 || c.Subjects != 12 || c.InProgress != 0 {
					t.Errorf("%s: %+v", mode, c)
				}
			}
		})
	}
}

// An untouched archive is clean when it is larger than a page of a listing and than
// a tile of the log. Each user has one image, so that the test takes its time for
// users.
func TestManyUsersAreClean(t *testing.T) {
	t.Parallel()
	const many = 700
	without := make(map[vlenstest.Kind]string)
	for _, kind := range vlenstest.Kinds[1:] {
		without[kind] = "absent"
	}
	a := audittest.New(t, vlenstest.Options{
		People: many, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{All: vlenstest.Rules{Images: without}},
	})
	a.Run("first", func(c *worker.Config) { c.Concurrency = 32 })
	report := check(a, store.VerifyDeep)
	clean(t, report)
	if c := report.Counts; c.Subjects != many || c.Images != many || c.Records != many || c.Decoded != many {
		t.Errorf("%+v", c)
	}
}

// What the vendor said once is noted in the ledger, and no record states it.
func TestSaidOnceToBeGone(t *testing.T) {
	t.Parallel()
	a := audittest.New(t, vlenstest.Options{People: 4, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000001": {Images: map[vlenstest.Kind]string{vlenstest.Face1: "gone"}},
		"u-000002": {Image: "gone"},
	}}})
	for _, night := range []string{"first", "second"} {
		a.Run(night, nil)
		clean(t, check(a, store.VerifyDeep))
		a.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
	}
	if n := a.Count(`SELECT count(*) FROM archive.images WHERE state = 'failed' AND class = 'gone'`); n != 7 {
		t.Errorf("%d images are noted as gone", n)
	}
}

// What covers evidence hides it, and what is recorded is still compared.
func TestHidden(t *testing.T) {
	t.Parallel()
	a := audittest.New(t, vlenstest.Options{People: 8})
	a.Run("first", nil)
	images, records := a.Keys("/id_front."), a.Keys("/record.")
	sums, manifest := a.KeyOf("/SHA256SUMS"), a.KeyOf("/manifest.jsonl.gz")

	a.Remove(images[0]) // a delete marker
	a.Put(images[1], archivetest.Object{Body: []byte("newer")})
	a.Put(images[2], a.Get(images[2])) // the same bytes again
	a.Remove(records[3])
	a.Put(records[4], archivetest.Object{Body: []byte("newer")})
	a.Remove(sums)
	a.Put(manifest, archivetest.Object{Body: []byte("newer")})
	a.Remove(a.Layout.Archive())
	a.RemoveVersion(images[5])
	a.RemoveVersion(records[6])

	report := check(a, store.VerifyDefault)
	for _, key := range []string{images[0], images[1], images[2], records[3], records[4], sums, manifest, a.Layout.Archive()} {
		if !has(report, verify.Hidden, key) {
			t.Errorf("%q is hidden and not found", key)
		}
	}
	for _, key := range []string{images[5], records[6]} {
		if !has(report, verify.Missing, key) {
			t.Errorf("%q is missing and not found", key)
		}
	}
	if report.Damaged != 10 {
		t.Errorf("%+v", report.Findings)
	}
	if deep := check(a, store.VerifyDeep); deep.Damaged != 10 {
		t.Errorf("%+v", deep.Findings)
	}

	// The recorded version is gone, and another stands in its place.
	a.RemoveVersion(images[7])
	a.Put(images[7], archivetest.Object{Body: []byte("other")})
	if report := check(a, store.VerifyDefault); !has(report, verify.Changed, images[7]) {
		t.Errorf("%+v", report.Findings)
	}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Locked, bucket.ObjectLock{Mode: bucket.LockGovernance, Days: 30}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	image := a.KeyOf("/id_front.")
	record, sums := a.KeyOf("/record."), a.KeyOf("/SHA256SUMS")
	for _, key := range []string{image, record, sums} {
		shorten(a, key)
	}
	clean(t, check(a, store.VerifyDefault)) // a listing tells no locks
	for _, mode := range []store.VerifyMode{store.VerifyChecksums, store.VerifyDeep} {
		report := check(a, mode)
		for _, key := range []string{image, record, sums} {
			if !has(report, verify.LockShort, key) {
				t.Errorf("%s: the lock of %q is short and not found: %+v", mode, key, report.Findings)
			}
		}
		if report.Totals[verify.LockShort] != 3 {
			t.Errorf("%s: %+v", mode, report.Findings)
		}
	}

	a.Lock = bucket.ObjectLock{Mode: bucket.LockCompliance, Days: 30}
	a.Bucket = a.OpenBucket()
	if report := check(a, store.VerifyChecksums); !has(report, verify.LockShort, a.KeyOf("/id_back.")) {
		t.Errorf("governance passes for compliance: %+v", report.Findings)
	}
}

// An archive without a key is told to have no log; one that gets a key later is
// told what waits.
func TestUnsealed(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 3})
	a.RunUnsealed("first")
	report := check(a, store.VerifyDefault)
	clean(t, report, verify.NoLog)
	if report.Verdict != verify.Warnings || report.Log != nil || report.Totals[verify.NoLog] != 1 {
		t.Errorf("%+v", report)
	}
	a.Run("second", nil)
	clean(t, check(a, store.VerifyDefault))

	a.ExecSource(`UPDATE users SET verified_at = now() WHERE id = 'u-000001'`)
	a.RunUnsealed("third")
	report = check(a, store.VerifyDefault)
	clean(t, report, verify.Unsealed)
	if !has(report, verify.Unsealed, a.KeyOf("/third/", "SHA256SUMS")) {
		t.Errorf("%+v", report.Findings)
	}
}

// What ends after the listing was read is looked at again before it is missed.
func TestListingIsOlderThanTheLedger(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	check(a, store.VerifyDefault) // leaves a statement
	clean(t, check(a, store.VerifyDefault, func(v *verify.Verifier) { v.Bucket = oldListing{a.Bucket, a.Layout.Prefix + "/"} }))
}

// oldListing lists the archive as it was before anything was done.
type oldListing struct {
	verify.Bucket
	prefix string
}

func (b oldListing) ListVersions(ctx context.Context, prefix string) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		for o, err := range b.Bucket.ListVersions(ctx, prefix) {
			if prefix == b.prefix && err == nil && !strings.HasSuffix(o.Key, "/archive.json") {
				continue
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

// What the vendor cut is flagged, and no finding.
func TestImagesThatDoNotOpen(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 3, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000001": {Image: "truncated"}, "u-000002": {Image: "png"},
	}}})
	a.Run("first", nil)
	clean(t, check(a, store.VerifyDeep))
	flagged := a.Count(`SELECT count(*) FROM archive.images WHERE flags = '{truncated}'`)
	if flagged != 6 {
		t.Fatalf("%d images are flagged", flagged)
	}
}
