package verify_test

import (
	"errors"
	"testing"

	"vlens-archiver/audit"
	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/vlens/vlenstest"
)

// What was removed with its version and put back from a copy has another version
// and is evidence all the same.
func TestPutBack(t *testing.T) {
	t.Parallel()
	a := audittest.New(t, vlenstest.Options{People: 2})
	a.Run("first", nil)
	check(a, store.VerifyDefault) // leaves a statement
	keys := []string{image(a), record(a), runFile("SHA256SUMS")(a), runFile("manifest.jsonl.gz")(a), runFile("objects.csv")(a), verifyStatement(a)}
	for _, key := range keys {
		copied := a.Get(key)
		a.RemoveVersion(key)
		a.Put(key, copied)
	}
	for _, mode := range []store.VerifyMode{store.VerifyDefault, store.VerifyDeep} {
		report := check(a, mode)
		clean(t, report, verify.Restored)
		for _, key := range keys[:2] {
			if !has(report, verify.Restored, key) {
				t.Errorf("%s: %q is another version now: %+v", mode, key, report.Findings)
			}
		}
	}
	exportEvidence(a)
	a.Edit(`UPDATE archive.records SET version_id = 'another' WHERE key <> $1`, record(a))
	if report := check(a, store.VerifyDefault); !has(report, verify.LedgerDiffers, runFile("objects.csv")(a)) {
		t.Errorf("another version in the ledger: %+v", report.Findings)
	}

	for _, key := range keys[:2] {
		good := a.Get(key)
		a.RemoveVersion(key)
		a.Put(key, archivetest.Object{Body: append(good.Body[:len(good.Body)-2:len(good.Body)-2], "??"...), Metadata: good.Metadata, MIME: good.MIME})
		if err := tryExport(a); !errors.Is(err, audit.ErrDamaged) {
			t.Errorf("%q with other bytes: %v", key, err)
		}
		a.RemoveVersion(key)
		if err := tryExport(a); !errors.Is(err, audit.ErrDamaged) {
			t.Errorf("without %q: %v", key, err)
		}
		a.Put(key, good)
	}
}
