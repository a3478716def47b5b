package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
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

// An untouched archive is clean however large it is. Each user has one image, so
// that the test takes its time for users.
func TestTwoThousandUsersAreClean(t *testing.T) {
	t.Parallel()
	without := make(map[vlenstest.Kind]string)
	for _, kind := range vlenstest.Kinds[1:] {
		without[kind] = "absent"
	}
	a := audittest.New(t, vlenstest.Options{
		People: 2000, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{All: vlenstest.Rules{Images: without}},
	})
	a.Run("first", func(c *worker.Config) { c.Concurrency = 32 })
	report := check(a, store.VerifyDeep)
	clean(t, report)
	if c := report.Counts; c.Subjects != 2000 || c.Images != 2000 || c.Records != 2000 || c.Decoded != 2000 {
		t.Errorf("%+v", c)
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

// forgetRunOf makes what was archived of a subject the work of an attempt: the
// ledger has no more of it, nor of the only run.
func forgetRunOf(a *audittest.Archive, subject string) {
	a.T.Helper()
	a.Edit(`UPDATE archive.subjects SET state = 'pending', archived_at = NULL WHERE subject = $1;
		DELETE FROM archive.images WHERE subject = $1; DELETE FROM archive.records WHERE subject = $1;
		DELETE FROM archive.outcomes WHERE subject = $1`, subject)
	for _, key := range a.Keys("/runs/") {
		a.Remove(key)
	}
	a.Edit(`DELETE FROM archive.outcomes; DELETE FROM archive.processes; DELETE FROM archive.runs`)
}

// An attempt at work, one that died, and one that never was.
func TestAttempts(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 3})
	a.RunUnsealed("first")
	subject := archivetest.SubjectOf("u-000002")
	keys := a.Keys(subject)
	forgetRunOf(a, subject)

	a.Edit(`INSERT INTO archive.processes (process, worker, run_id) VALUES ('p', 'test', NULL);
		UPDATE archive.subjects SET lease_process = 'p' WHERE subject = $1`, subject)
	report := check(a, store.VerifyDeep)
	clean(t, report, verify.NoLog)
	if report.Counts.InProgress != int64(len(keys)) {
		t.Errorf("%d objects in progress, want %d", report.Counts.InProgress, len(keys))
	}

	a.Edit(`UPDATE archive.processes SET heartbeat_at = now() - interval '1 hour'`)
	report = check(a, store.VerifyDeep)
	clean(t, report, verify.NoLog, verify.Leftover)
	if report.Verdict != verify.Warnings || report.Totals[verify.Leftover] != int64(len(keys)) {
		t.Errorf("%+v", report.Findings)
	}

	a.Put(keys[0], archivetest.Object{Body: []byte("foreign"), MIME: "image/jpeg"})
	if report := check(a, store.VerifyDefault); !has(report, verify.Unexpected, keys[0]) {
		t.Errorf("%+v", report.Findings)
	}
}

// Who may only read still gets the report.
func TestReadOnlyAuditor(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	a.ExecLedger(`CREATE ROLE verify_auditor LOGIN; GRANT USAGE ON SCHEMA archive TO verify_auditor; GRANT SELECT ON ALL TABLES IN SCHEMA archive TO verify_auditor`)
	defer a.ExecLedger(`DROP OWNED BY verify_auditor; DROP ROLE verify_auditor`)
	ledger, err := postgres.OpenLedger(t.Context(), store.Sensitive(strings.Replace(a.LedgerURL, "user=postgres", "user=verify_auditor", 1)))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	report := check(a, store.VerifyDeep, func(v *verify.Verifier) {
		v.Ledger = ledger
		v.Bucket = refusingPuts{a.Bucket}
	})
	clean(t, report, verify.NotRecorded)
	if report.Totals[verify.NotRecorded] != 2 || report.Verdict != verify.Warnings || report.AuditKey != "" {
		t.Errorf("%+v", report)
	}
	if report := check(a, store.VerifyDefault, func(v *verify.Verifier) { v.Ledger = ledger }); report.Totals[verify.NotRecorded] != 1 || report.AuditKey == "" {
		t.Errorf("who may write to the bucket only: %+v", report)
	}
	if report := check(a, store.VerifyDefault, func(v *verify.Verifier) { v.Bucket = refusingPuts{a.Bucket} }); report.Totals[verify.NotRecorded] != 1 || report.AuditKey != "" {
		t.Errorf("who may write to the ledger only: %+v", report)
	}
	if rows := archivetest.Query[string](a.Tenant, `SELECT concat_ws('|', audit_key, audit_sha256) FROM archive.verifications`); !slices.Equal(rows, []string{"|"}) {
		t.Errorf("rows %q", rows)
	}
	clean(t, check(a, store.VerifyDefault))
}

// laterRows runs a function after the trail of audits was read for the first time.
type laterRows struct {
	*postgres.Ledger
	then func()
}

func (l *laterRows) AuditStatements(ctx context.Context, keys ...string) ([]store.StatedRow, error) {
	rows, err := l.Ledger.AuditStatements(ctx, keys...)
	if l.then != nil {
		l.then()
		l.then = nil
	}
	return rows, err
}

// An export that is at work meanwhile has its statement before its row.
func TestExportMeanwhile(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	clean(t, check(a, store.VerifyDefault, func(v *verify.Verifier) { v.Ledger = &laterRows{a.Ledger, func() { exportEvidence(a) }} }))
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

type refusingPuts struct{ verify.Bucket }

func (refusingPuts) Put(context.Context, store.PutRequest) (store.Object, bool, error) {
	return store.Object{}, false, store.ErrDenied
}

// A verification leaves a statement and a row, and the next one finds it in
// order.
func TestVerificationIsRecorded(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	a.Remove(a.KeyOf("/id_front."))
	report := check(a, store.VerifyDeep)
	var statement manifest.Statement
	if err := json.Unmarshal(a.Get(report.AuditKey).Body, &statement); err != nil {
		t.Fatal(err)
	}
	if v := statement.Verification; v == nil || v.Damaged != 1 || v.Findings["missing"] != 1 || v.Mode != store.VerifyDeep || v.Records != 2 || statement.Actor != "auditor" {
		t.Errorf("%+v", statement)
	}
	if n := a.Count(`SELECT count(*) FROM archive.verifications WHERE damaged = 1 AND mode = 'deep' AND findings->>'missing' = '1' AND audit_key = $1`, report.AuditKey); n != 1 {
		t.Errorf("%d rows", n)
	}
	a.Remove(report.AuditKey)
	if report := check(a, store.VerifyDefault); !has(report, verify.Missing, report.AuditKey) && report.Totals[verify.Missing] != 2 {
		t.Errorf("%+v", report.Findings)
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
