package verify_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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

// saved is an archive as it was, to be put back after each tampering.
type saved struct {
	*audittest.Archive
	objects map[string]archivetest.Object
	tags    map[string]string // ETags, by key
}

// historyTables are those that a tampering may touch.
var historyTables = []string{"access_log", "runs", "subjects", "images", "records", "outcomes", "log_entries", "log", "archive"}

func save(a *audittest.Archive) saved {
	a.ExecLedger(`CREATE SCHEMA saved`)
	for _, table := range historyTables {
		a.ExecLedger(fmt.Sprintf(`CREATE TABLE saved.%s AS TABLE archive.%[1]s`, table))
	}
	a.ExecLedger(`CREATE TABLE saved.verifications AS TABLE archive.verifications`)
	return saved{a, a.Objects(), etags(a)}
}

// etags are the objects of the bucket, by key.
func etags(a *audittest.Archive) map[string]string {
	a.T.Helper()
	etags := make(map[string]string)
	for o, err := range a.Bucket.List(a.T.Context(), "") {
		if err != nil {
			a.T.Fatal(err)
		}
		etags[o.Key] = o.ETag
	}
	return etags
}

// restore leaves the verifications made since, in bucket and ledger.
func (s saved) restore() {
	now := etags(s.Archive)
	for key, etag := range now {
		if was, there := s.tags[key]; !there {
			if !strings.Contains(key, "/audit/") || !strings.Contains(key, "/verify-") {
				s.Remove(key)
			}
		} else if etag != was {
			s.Put(key, s.objects[key])
		}
	}
	for key := range s.tags {
		if _, there := now[key]; !there {
			s.Put(key, s.objects[key])
		}
	}
	var sql strings.Builder
	for _, table := range historyTables {
		fmt.Fprintf(&sql, `DELETE FROM archive.%s; INSERT INTO archive.%[1]s OVERRIDING SYSTEM VALUE SELECT * FROM saved.%[1]s;`, table)
	}
	sql.WriteString(`DELETE FROM archive.verifications WHERE audit_key = '' OR audit_key IN (SELECT audit_key FROM saved.verifications);
		INSERT INTO archive.verifications OVERRIDING SYSTEM VALUE SELECT * FROM saved.verifications`)
	s.Edit(sql.String())
}

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
	}}
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 6, Scenario: scenario})
	a.Run("first", nil)
	a.Run("second", nil)
	for range 2 {
		exportEvidence(a)
	}
	clean(t, check(a, store.VerifyDeep))
	was := save(a)
	for _, test := range tamperings() {
		key := test.do(a)
		report := check(a, cmp.Or(test.mode, store.VerifyDefault))
		if !slices.ContainsFunc(test.sorts, func(sort verify.Sort) bool { return has(report, sort, key) }) || report.Verdict != verify.Damage {
			t.Errorf("%s: %v of %q is not found; findings: %+v", test.name, test.sorts, key, report.Findings)
		}
		was.restore()
		if t.Failed() {
			break
		}
	}
	clean(t, check(a, store.VerifyDeep))
}
