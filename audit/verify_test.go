package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"vlens-archiver/audit"
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
			a := newArchived(t, setup.kind, setup.lock, vlenstest.Options{People: 12})
			a.Run("first", nil)
			a.Run("second", nil)
			for _, mode := range []store.VerifyMode{store.VerifyDefault, store.VerifyChecksums, store.VerifyDeep} {
				report := a.verify(mode)
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
	a := newArchived(t, s3server.Versioned, bucket.ObjectLock{}, vlenstest.Options{
		People: 2000, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{All: vlenstest.Rules{Images: without}},
	})
	a.Run("first", func(c *worker.Config) { c.Concurrency = 32 })
	report := a.verify(store.VerifyDeep)
	clean(t, report)
	if c := report.Counts; c.Subjects != 2000 || c.Images != 2000 || c.Records != 2000 || c.Decoded != 2000 {
		t.Errorf("%+v", c)
	}
}

// What covers evidence hides it, and what is recorded is still compared.
func TestHidden(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Versioned, bucket.ObjectLock{}, vlenstest.Options{People: 8})
	a.Run("first", nil)
	images, records := a.keys("/id_front."), a.keys("/record.")
	sums, manifest := a.key("/SHA256SUMS"), a.key("/manifest.jsonl.gz")

	a.remove(images[0]) // a delete marker
	a.put(images[1], archivetest.Object{Body: []byte("newer")})
	a.put(images[2], a.get(images[2])) // the same bytes again
	a.remove(records[3])
	a.put(records[4], archivetest.Object{Body: []byte("newer")})
	a.remove(sums)
	a.put(manifest, archivetest.Object{Body: []byte("newer")})
	a.remove(a.layout.Archive())
	a.removeVersion(images[5])
	a.removeVersion(records[6])

	report := a.verify(store.VerifyDefault)
	for _, key := range []string{images[0], images[1], images[2], records[3], records[4], sums, manifest, a.layout.Archive()} {
		if !has(report, audit.Hidden, key) {
			t.Errorf("%q is hidden and not found", key)
		}
	}
	for _, key := range []string{images[5], records[6]} {
		if !has(report, audit.Missing, key) {
			t.Errorf("%q is missing and not found", key)
		}
	}
	if report.Damaged != 10 {
		t.Errorf("%+v", report.Findings)
	}
	if deep := a.verify(store.VerifyDeep); deep.Damaged != 10 {
		t.Errorf("%+v", deep.Findings)
	}

	// The recorded version is gone, and another stands in its place.
	a.removeVersion(images[7])
	a.put(images[7], archivetest.Object{Body: []byte("other")})
	if report := a.verify(store.VerifyDefault); !has(report, audit.Changed, images[7]) {
		t.Errorf("%+v", report.Findings)
	}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Locked, bucket.ObjectLock{Mode: bucket.LockGovernance, Days: 30}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	image := a.key("/id_front.")
	record, sums := a.key("/record."), a.key("/SHA256SUMS")
	for _, key := range []string{image, record, sums} {
		a.shorten(key)
	}
	clean(t, a.verify(store.VerifyDefault)) // a listing tells no locks
	for _, mode := range []store.VerifyMode{store.VerifyChecksums, store.VerifyDeep} {
		report := a.verify(mode)
		for _, key := range []string{image, record, sums} {
			if !has(report, audit.LockShort, key) {
				t.Errorf("%s: the lock of %q is short and not found: %+v", mode, key, report.Findings)
			}
		}
		if report.Totals[audit.LockShort] != 3 {
			t.Errorf("%s: %+v", mode, report.Findings)
		}
	}

	a.Lock = bucket.ObjectLock{Mode: bucket.LockCompliance, Days: 30}
	a.bucket = a.OpenBucket()
	if report := a.verify(store.VerifyChecksums); !has(report, audit.LockShort, a.key("/id_back.")) {
		t.Errorf("governance passes for compliance: %+v", report.Findings)
	}
}

// The sample is the same for the same seed, and what is not in it is still
// compared by the listing.
func TestSample(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 40})
	a.Run("first", nil)
	sample := func(percent float64, seed string) audit.VerifyReport {
		return a.verify(store.VerifyDeep, func(v *audit.Verifier) { v.Sample, v.Seed = percent, seed })
	}
	one, two := sample(30, "a"), sample(30, "a")
	clean(t, one)
	if one.Counts.Decoded != two.Counts.Decoded || one.Counts.NotSampled != two.Counts.NotSampled || one.Scope.Seed != "a" {
		t.Errorf("%+v, then %+v", one.Counts, two.Counts)
	}
	if n := one.Counts.NotSampled; n == 0 || n == 40 || one.Counts.Decoded != 6*(40-n) || one.Counts.Images != 240 {
		t.Errorf("%+v", one.Counts)
	}
	a.remove(a.keys("/id_front.")[7])
	a.put(a.keys("/id_back.")[9], archivetest.Object{Body: []byte("cut")})
	if report := sample(0.001, "a"); report.Totals[audit.Missing] != 1 || report.Totals[audit.Truncated] != 1 || report.Counts.Decoded != 0 {
		t.Errorf("%+v, %+v", report.Totals, report.Counts)
	}
}

// One user, or one run, is checked without the others.
func TestScope(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 6})
	a.Run("first", nil)
	a.Run("second", nil)
	of := func(id string) string { return a.key(archivetest.SubjectOf(id), "/id_front.") }
	damaged, added := of("u-000001"), strings.Replace(of("u-000001"), "/id_front.", "/notes.", 1)
	a.remove(damaged)
	a.put(added, archivetest.Object{Body: []byte("foreign")})
	a.remove(a.key("/second/", "summary.json"))

	user := func(id string) audit.VerifyReport {
		return a.verify(store.VerifyDeep, func(v *audit.Verifier) { v.Subject = store.Subject(archivetest.SubjectOf(id)) })
	}
	if report := user("u-000001"); !has(report, audit.Missing, damaged) || !has(report, audit.Unexpected, added) || report.Damaged != 2 {
		t.Errorf("%+v", report.Findings)
	}
	other := user("u-000002")
	clean(t, other)
	if other.Counts.Images != 6 || other.Counts.Records != 1 || other.Scope.Subject == "" {
		t.Errorf("%+v", other)
	}
	run := func(id string) audit.VerifyReport {
		return a.verify(store.VerifyDefault, func(v *audit.Verifier) { v.RunID = id })
	}
	if report := run("first"); report.Damaged != 2 || report.Counts.Runs != 1 || report.Counts.Subjects != 6 {
		t.Errorf("%+v", report)
	}
	if report := run("second"); report.Damaged != 1 || report.Counts.Subjects != 0 {
		t.Errorf("%+v", report)
	}
	v := &audit.Verifier{Options: audit.Options{RunID: "third", Sample: 100, Parallel: 1}, Ledger: a.ledger, Bucket: a.bucket, Layout: a.layout, Identity: a.identity()}
	if _, err := v.Verify(t.Context()); !errors.Is(err, audit.ErrNoRun) {
		t.Errorf("a run that there is not: %v", err)
	}
}

// runUnsigned is a run without a key, so that nothing is sealed.
func (a *archived) runUnsigned(runID string) {
	a.T.Helper()
	p := a.Process(runID, nil)
	defer p.Close()
	p.Signing = manifest.SigningKey{}
	if _, err := p.Run(a.T.Context(), a.T.Context()); err != nil {
		a.T.Fatal(err)
	}
}

// An archive without a key is told to have no log; one that gets a key later is
// told what waits.
func TestUnsealed(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 3})
	a.runUnsigned("first")
	report := a.verify(store.VerifyDefault)
	clean(t, report, audit.NoLog)
	if report.Verdict != audit.Warnings || report.Log != nil || report.Totals[audit.NoLog] != 1 {
		t.Errorf("%+v", report)
	}
	a.Run("second", nil)
	clean(t, a.verify(store.VerifyDefault))

	a.ExecSource(`UPDATE users SET verified_at = now() WHERE id = 'u-000001'`)
	a.runUnsigned("third")
	report = a.verify(store.VerifyDefault)
	clean(t, report, audit.Unsealed)
	if !has(report, audit.Unsealed, a.key("/third/", "SHA256SUMS")) {
		t.Errorf("%+v", report.Findings)
	}
}

// forgetRunOf makes what was archived of a subject the work of an attempt: the
// ledger has no more of it, nor of the only run.
func (a *archived) forgetRunOf(subject string) {
	a.T.Helper()
	a.edit(`UPDATE archive.subjects SET state = 'pending', archived_at = NULL WHERE subject = $1;
		DELETE FROM archive.images WHERE subject = $1; DELETE FROM archive.records WHERE subject = $1;
		DELETE FROM archive.outcomes WHERE subject = $1`, subject)
	for _, key := range a.keys("/runs/") {
		a.remove(key)
	}
	a.edit(`DELETE FROM archive.outcomes; DELETE FROM archive.processes; DELETE FROM archive.runs`)
}

// An attempt at work, one that died, and one that never was.
func TestAttempts(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 3})
	a.runUnsigned("first")
	subject := archivetest.SubjectOf("u-000002")
	keys := a.keys(subject)
	a.forgetRunOf(subject)

	a.edit(`INSERT INTO archive.processes (process, worker, run_id) VALUES ('p', 'test', NULL);
		UPDATE archive.subjects SET lease_process = 'p' WHERE subject = $1`, subject)
	report := a.verify(store.VerifyDeep)
	clean(t, report, audit.NoLog)
	if report.Counts.InProgress != int64(len(keys)) {
		t.Errorf("%d objects in progress, want %d", report.Counts.InProgress, len(keys))
	}

	a.edit(`UPDATE archive.processes SET heartbeat_at = now() - interval '1 hour'`)
	report = a.verify(store.VerifyDeep)
	clean(t, report, audit.NoLog, audit.Leftover)
	if report.Verdict != audit.Warnings || report.Totals[audit.Leftover] != int64(len(keys)) {
		t.Errorf("%+v", report.Findings)
	}

	a.put(keys[0], archivetest.Object{Body: []byte("foreign"), MIME: "image/jpeg"})
	if report := a.verify(store.VerifyDefault); !has(report, audit.Unexpected, keys[0]) {
		t.Errorf("%+v", report.Findings)
	}
}

// Who may only read still gets the report.
func TestReadOnlyAuditor(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	a.ExecLedger(`CREATE ROLE verify_auditor LOGIN; GRANT USAGE ON SCHEMA archive TO verify_auditor; GRANT SELECT ON ALL TABLES IN SCHEMA archive TO verify_auditor`)
	defer a.ExecLedger(`DROP OWNED BY verify_auditor; DROP ROLE verify_auditor`)
	ledger, err := postgres.OpenLedger(t.Context(), store.Sensitive(strings.Replace(a.LedgerURL, "user=postgres", "user=verify_auditor", 1)))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	report := a.verify(store.VerifyDeep, func(v *audit.Verifier) {
		v.Ledger = ledger
		v.Bucket = refusingPuts{a.bucket}
	})
	clean(t, report, audit.NotRecorded)
	if report.Totals[audit.NotRecorded] != 2 || report.Verdict != audit.Warnings || report.AuditKey != "" {
		t.Errorf("%+v", report)
	}
	if report := a.verify(store.VerifyDefault, func(v *audit.Verifier) { v.Ledger = ledger }); report.Totals[audit.NotRecorded] != 1 || report.AuditKey == "" {
		t.Errorf("who may write to the bucket only: %+v", report)
	}
	if report := a.verify(store.VerifyDefault, func(v *audit.Verifier) { v.Bucket = refusingPuts{a.bucket} }); report.Totals[audit.NotRecorded] != 1 || report.AuditKey != "" {
		t.Errorf("who may write to the ledger only: %+v", report)
	}
	if rows := archivetest.Query[string](a.Tenant, `SELECT concat_ws('|', audit_key, audit_sha256) FROM archive.verifications`); !slices.Equal(rows, []string{"|"}) {
		t.Errorf("rows %q", rows)
	}
	clean(t, a.verify(store.VerifyDefault))
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
	a := newArchived(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	clean(t, a.verify(store.VerifyDefault, func(v *audit.Verifier) { v.Ledger = &laterRows{a.ledger, a.export} }))
}

// What ends after the listing was read is looked at again before it is missed.
func TestListingIsOlderThanTheLedger(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	a.verify(store.VerifyDefault) // leaves a statement
	clean(t, a.verify(store.VerifyDefault, func(v *audit.Verifier) { v.Bucket = oldListing{a.bucket, a.layout.Prefix + "/"} }))
}

// oldListing lists the archive as it was before anything was done.
type oldListing struct {
	audit.Bucket
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

type refusingPuts struct{ audit.Bucket }

func (refusingPuts) Put(context.Context, store.PutRequest) (store.Object, bool, error) {
	return store.Object{}, false, store.ErrDenied
}

// A verification leaves a statement and a row, and the next one finds it in
// order.
func TestVerificationIsRecorded(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	a.Run("first", nil)
	a.remove(a.key("/id_front."))
	report := a.verify(store.VerifyDeep)
	var statement manifest.Statement
	if err := json.Unmarshal(a.get(report.AuditKey).Body, &statement); err != nil {
		t.Fatal(err)
	}
	if v := statement.Verification; v == nil || v.Damaged != 1 || v.Findings["missing"] != 1 || v.Mode != store.VerifyDeep || v.Records != 2 || statement.Actor != "auditor" {
		t.Errorf("%+v", statement)
	}
	if n := a.Count(`SELECT count(*) FROM archive.verifications WHERE damaged = 1 AND mode = 'deep' AND findings->>'missing' = '1' AND audit_key = $1`, report.AuditKey); n != 1 {
		t.Errorf("%d rows", n)
	}
	a.remove(report.AuditKey)
	if report := a.verify(store.VerifyDefault); !has(report, audit.Missing, report.AuditKey) && report.Totals[audit.Missing] != 2 {
		t.Errorf("%+v", report.Findings)
	}
}

// What the vendor cut is flagged, and no finding.
func TestImagesThatDoNotOpen(t *testing.T) {
	t.Parallel()
	a := newArchived(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 3, Scenario: vlenstest.Scenario{Users: map[string]vlenstest.Rules{
		"u-000001": {Image: "truncated"}, "u-000002": {Image: "png"},
	}}})
	a.Run("first", nil)
	clean(t, a.verify(store.VerifyDeep))
	flagged := a.Count(`SELECT count(*) FROM archive.images WHERE flags = '{truncated}'`)
	if flagged != 6 {
		t.Fatalf("%d images are flagged", flagged)
	}
}
