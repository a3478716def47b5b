package audit_test

import (
	"errors"
	"testing"

	"vlens-archiver/audit"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/vlens/vlenstest"
)

// What was removed with its version and put back from a copy has another version
// and is evidence all the same.
func TestPutBack(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Versioned, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	a.verify(store.VerifyDefault) // leaves a statement
	keys := []string{image(a), record(a), runFile("SHA256SUMS")(a), runFile("manifest.jsonl.gz")(a), runFile("objects.csv")(a), verifyStatement(a)}
	for _, key := range keys {
		copied := a.get(key)
		a.removeVersion(key)
		a.put(key, copied)
	}
	for _, mode := range []store.VerifyMode{store.VerifyDefault, store.VerifyDeep} {
		report := a.verify(mode)
		clean(t, report, audit.Restored)
		for _, key := range keys[:2] {
			if !has(report, audit.Restored, key) {
				t.Errorf("%s: %q is another version now: %+v", mode, key, report.Findings)
			}
		}
	}
	a.export()
	a.edit(`UPDATE archive.records SET version_id = 'another' WHERE key <> $1`, record(a))
	if report := a.verify(store.VerifyDefault); !has(report, audit.LedgerDiffers, runFile("objects.csv")(a)) {
		t.Errorf("another version in the ledger: %+v", report.Findings)
	}

	for _, key := range keys[:2] {
		good := a.get(key)
		a.removeVersion(key)
		a.put(key, archivetest.Object{Body: append(good.Body[:len(good.Body)-2:len(good.Body)-2], "??"...), Metadata: good.Metadata, MIME: good.MIME})
		if err := a.tryExport(); !errors.Is(err, audit.ErrDamaged) {
			t.Errorf("%q with other bytes: %v", key, err)
		}
		a.removeVersion(key)
		if err := a.tryExport(); !errors.Is(err, audit.ErrDamaged) {
			t.Errorf("without %q: %v", key, err)
		}
		a.put(key, good)
	}
}
