package verify_test

import (
	"context"
	"encoding/json"
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
)

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
