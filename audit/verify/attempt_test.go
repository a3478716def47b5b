package verify_test

import (
	"testing"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/vlens/vlenstest"
)

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
