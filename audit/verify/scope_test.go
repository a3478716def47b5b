package verify_test

import (
	"errors"
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

// The sample is the same for the same seed, and what is not in it is still
// compared by the listing.
func TestSample(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 40})
	a.Run("first", nil)
	sample := func(percent float64, seed string) verify.Report {
		return check(a, store.VerifyDeep, func(v *verify.Verifier) { v.Sample, v.Seed = percent, seed })
	}
	one, two := sample(30, "a"), sample(30, "a")
	clean(t, one)
	if one.Counts.Decoded != two.Counts.Decoded || one.Counts.NotSampled != two.Counts.NotSampled || one.Scope.Seed != "a" {
		t.Errorf("%+v, then %+v", one.Counts, two.Counts)
	}
	if n := one.Counts.NotSampled; n == 0 || n == 40 || one.Counts.Decoded != 6*(40-n) || one.Counts.Images != 240 {
		t.Errorf("%+v", one.Counts)
	}
	a.Remove(a.Keys("/id_front.")[7])
	a.Put(a.Keys("/id_back.")[9], archivetest.Object{Body: []byte("cut")})
	if report := sample(0.001, "a"); report.Totals[verify.Missing] != 1 || report.Totals[verify.Truncated] != 1 || report.Counts.Decoded != 0 {
		t.Errorf("%+v, %+v", report.Totals, report.Counts)
	}
}

// One user, or one run, is checked without the others.
func TestScope(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 6})
	a.Run("first", nil)
	a.Run("second", nil)
	of := func(id string) string { return a.KeyOf(archivetest.SubjectOf(id), "/id_front.") }
	damaged, added := of("u-000001"), strings.Replace(of("u-000001"), "/id_front.", "/notes.", 1)
	a.Remove(damaged)
	a.Put(added, archivetest.Object{Body: []byte("foreign")})
	a.Remove(a.KeyOf("/second/", "summary.json"))

	user := func(id string) verify.Report {
		return check(a, store.VerifyDeep, func(v *verify.Verifier) { v.Subject = store.Subject(archivetest.SubjectOf(id)) })
	}
	if report := user("u-000001"); !has(report, verify.Missing, damaged) || !has(report, verify.Unexpected, added) || report.Damaged != 2 {
		t.Errorf("%+v", report.Findings)
	}
	other := user("u-000002")
	clean(t, other)
	if other.Counts.Images != 6 || other.Counts.Records != 1 || other.Scope.Subject == "" {
		t.Errorf("%+v", other)
	}
	run := func(id string) verify.Report {
		return check(a, store.VerifyDefault, func(v *verify.Verifier) { v.RunID = id })
	}
	if report := run("first"); report.Damaged != 2 || report.Counts.Runs != 1 || report.Counts.Subjects != 6 {
		t.Errorf("%+v", report)
	}
	if report := run("second"); report.Damaged != 1 || report.Counts.Subjects != 0 {
		t.Errorf("%+v", report)
	}
	v := &verify.Verifier{Options: verify.Options{RunID: "third", Sample: 100, Parallel: 1}, Ledger: a.Ledger, Bucket: a.Bucket, Layout: a.Layout, Identity: a.Identity()}
	if _, err := v.Verify(t.Context()); !errors.Is(err, verify.ErrNoRun) {
		t.Errorf("a run that there is not: %v", err)
	}
}
