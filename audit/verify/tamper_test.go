package verify_test

import (
	"cmp"
	"slices"
	"testing"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/vlens/vlenstest"
)

// tampering is one thing that somebody does to an archive behind the program's
// back. do returns the key that a finding of one of the sorts must name.
type tampering struct {
	name  string
	mode  store.VerifyMode // the weakest that finds it; empty means the default
	sorts []verify.Sort
	do    func(a *audittest.Archive) (key string)
}

// sorts is a list of sorts.
func sorts(s ...verify.Sort) []verify.Sort { return s }

// image and record are of a user whom no attempt will touch again.
func image(a *audittest.Archive) string {
	return a.KeyOf(archivetest.SubjectOf("u-000001"), "/id_front.")
}

func record(a *audittest.Archive) string {
	return a.KeyOf(archivetest.SubjectOf("u-000001"), "/record.0001.json")
}

// tamperings are all of them.
func tamperings() []tampering {
	return slices.Concat(partTamperings(), bucketTamperings(), ledgerTamperings(), statementTamperings())
}

// Every tampering is found by the weakest mode that can find it, and the finding
// names the object. The bucket keeps no versions, so that nothing but content
// gives it away.
func TestTamperings(t *testing.T) {
	t.Parallel()
	scenario := vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000002": {Images: map[vlenstest.Kind]string{vlenstest.IDBack: "gone"}},
		"u-000003": {Listing: "empty"},
		"u-000004": {Images: map[vlenstest.Kind]string{vlenstest.Face2: "not_image"}},
	}}
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 6, Scenario: scenario})
	a.Run("first", nil)
	a.Accept("u-000004")
	a.Run("second", nil)
	for range 2 {
		exportEvidence(a)
	}
	clean(t, check(a, store.VerifyDeep))
	was := a.Save()
	for _, test := range tamperings() {
		key := test.do(a)
		report := check(a, cmp.Or(test.mode, store.VerifyDefault))
		if !slices.ContainsFunc(test.sorts, func(sort verify.Sort) bool { return has(report, sort, key) }) || report.Verdict != verify.Damage {
			t.Errorf("%s: %v of %q is not found; findings: %+v", test.name, test.sorts, key, report.Findings)
		}
		was.Restore()
		if t.Failed() {
			break
		}
	}
	clean(t, check(a, store.VerifyDeep))
}
