package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// takesNoRecord refuses records: what an attempt leaves that died before its record.
type takesNoRecord struct{ worker.Bucket }

func (b takesNoRecord) Put(ctx context.Context, request store.PutRequest) (store.Object, bool, error) {
	if strings.Contains(request.Key, "/record.") {
		return store.Object{}, false, store.ErrObjectRefused
	}
	return b.Bucket.Put(ctx, request)
}

// newestRecord is the record in the bucket that was written last.
func newestRecord(tn *archivetest.Tenant) (newest manifest.Record) {
	tn.T.Helper()
	for key, object := range tn.Objects() {
		if !strings.Contains(key, "/record.") {
			continue
		}
		record, err := manifest.DecodeRecord(object.Body)
		if err != nil {
			tn.T.Fatal(err)
		}
		if record.ArchivedAt.After(newest.ArchivedAt) {
			newest = record
		}
	}
	return newest
}

// A record does not promise more than the locks of its images hold: images of an
// earlier attempt, and of an earlier record, were locked when they were put.
func TestRecordStatesTheLockThatEndsFirst(t *testing.T) {
	t.Parallel()
	month := bucket.ObjectLock{Mode: bucket.LockGovernance, Days: 30}
	tn := archivetest.NewTenantIn(t, s3server.Locked, month, vlenstest.Options{People: 1, Seed: 63, ImageBytes: 8 << 10})
	p := tn.Process("first", nil)
	defer p.Close()
	p.Bucket = takesNoRecord{p.Bucket}
	if _, err := p.Run(t.Context(), t.Context()); err != nil && !errors.Is(err, store.ErrObjectRefused) {
		t.Fatal(err)
	}
	near := func(what string, want int) {
		t.Helper()
		until := newestRecord(tn).Storage.RetainUntil
		if until == nil || time.Until(*until).Round(time.Hour) != time.Duration(24*want)*time.Hour {
			t.Errorf("%s: locked until %v, want %d days from now", what, until, want)
		}
	}
	due := func() { tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`) }

	tn.Lock.Days = 60
	due()
	tn.Run("second", nil)
	near("images of an attempt that died", 30)

	change(tn, func(s *vlenstest.Scenario) { s.All.Images = map[vlenstest.Kind]string{vlenstest.IDBack: "changed"} })
	forceAgain(tn, "third")
	near("images of an earlier record", 30)

	change(tn, func(s *vlenstest.Scenario) { s.All = vlenstest.Rules{Verification: 2} })
	due()
	tn.Run("fourth", nil)
	near("another verification", 60)
}
