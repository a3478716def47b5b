package rebuild_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/export"
	"vlens-archiver/audit/rebuild"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// lived is an archive that has seen a bit of everything: every kind of outcome,
// two verifications of one person, complete and not, failures that settled and
// one that may pass, users whom Vlens no longer lists, a shared transaction, one
// without an id, other bytes under the same reference, users who left, exceptions,
// an export and a verification. Some of it is in the log.
func lived(t *testing.T) *audittest.Archive {
	t.Helper()
	one := func(kind vlenstest.Kind, image string) vlenstest.Rules {
		return vlenstest.Rules{Images: map[vlenstest.Kind]string{kind: image}}
	}
	r := audittest.New(t, vlenstest.Options{People: 24, ImageBytes: 4 << 10, Scenario: vlenstest.Scenario{
		Users: map[string]vlenstest.Rules{
			"u-000003": {User: "unknown"},
			"u-000004": {Listing: "empty"},
			"u-000005": {Row: "no_identifier"},
			"u-000006": one(vlenstest.Face2, "not_image"),
			"u-000007": one(vlenstest.IDBack, "gone"),
			"u-000008": {SharesOf: "u-000001"},
			"u-000009": {References: "names", Transaction: "optional", Row: "no_transaction"},
			"u-000010": one(vlenstest.Liveness, "truncated"),
			"u-000011": {Faults: map[vlenstest.Endpoint]string{vlenstest.List: "error"}},
			"u-000012": one(vlenstest.IDFront, "error"),
			"u-000013": {Image: "gone"},
			"u-000014": one(vlenstest.Face3, "absent"),
		},
	}})
	r.Run("first", nil)
	r.Later(200 * 24 * time.Hour)
	if err := r.Sim.Change(func(s *vlenstest.Scenario) {
		s.Users["u-000017"] = vlenstest.Rules{Verification: 2, Image: "gone"}
		s.Users["u-000018"] = vlenstest.Rules{Verification: 2, Images: map[vlenstest.Kind]string{vlenstest.IDBack: "not_image"}}
		s.Users["u-000019"] = vlenstest.Rules{User: "unknown"}
		s.Users["u-000022"] = vlenstest.Rules{Listing: "empty"}
	}); err != nil {
		t.Fatal(err)
	}
	r.VerifyAgain("u-000002")
	r.ExecSource(`DELETE FROM users WHERE id IN ('u-000020', 'u-000021')`)
	r.Run("second", nil)

	if err := r.Sim.Change(func(s *vlenstest.Scenario) { s.Users["u-000015"] = vlenstest.Rules{Image: "changed"} }); err != nil {
		t.Fatal(err)
	}
	r.Accept("u-000005")
	r.Run("third", func(c *worker.Config) {
		c.Run.Kind = store.RunBackfill
		c.Run.Selection = store.Selection{UserIDs: []string{"u-000001", "u-000015"}, Force: true}
	})

	r.Accept("u-000006")
	r.VerifyAgain("u-000016")
	r.ExecSource(`DELETE FROM users WHERE id IN ('u-000020', 'u-000021')`)
	r.RunUnsealed("fourth")
	r.ExecSource(`INSERT INTO users (id, email) VALUES ('u-999999', 'someone@example.com')`) // nobody has seen them yet

	if _, err := r.Exporter().Export(t.Context(), audittest.SubjectOf("u-000002"), audittest.Reason, export.Folder(filepath.Join(t.TempDir(), "a"))); err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Truncate(time.Millisecond)
	key := r.Layout.Audit(at, "verify-1")
	verification := store.Verification{
		StartedAt: at.Add(-time.Minute), EndedAt: at, Mode: store.VerifyDeep, Scope: json.RawMessage(`{}`),
		Objects: 5, Findings: map[string]int64{"missing": 1}, Damaged: 1, AuditKey: key,
	}
	body, err := manifest.NewVerificationStatement("verify-1", "", "auditor@test", verification, manifest.Tool{}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	verification.AuditSHA256 = fmt.Sprintf("%x", sha256.Sum256(body))
	if err := r.Ledger.AddVerification(t.Context(), verification, func(context.Context) error { r.Put(key, archivetest.Object{Body: body}); return nil }); err != nil {
		t.Fatal(err)
	}
	return r
}

// known is what bucket and source tell, table by table, as the ledger has it.
// What only the ledger knew is left out: it is listed in docs/evidence.md.
var known = map[string]string{
	"records": `SELECT key || ' ' || concat_ws('|', subject, transaction_id, sequence, version_id, sha256, run_id, archived_at) FROM archive.records`,
	"images": `SELECT concat_ws('/', subject, transaction_id, row_number() OVER (PARTITION BY subject, transaction_id ORDER BY image_id)) || ' ' ||
		concat_ws('|', kind, ref, state, class, key, version_id, etag, bytes, media_type, width, height, sha256, flags, run_id, fetched_at) FROM archive.images AS i
		WHERE i.state = 'stored' OR EXISTS (SELECT 1 FROM archive.records AS r WHERE r.subject = i.subject AND r.transaction_id = i.transaction_id AND r.run_id = i.run_id)`,
	"transactions": `SELECT transaction_id || ' ' || subject FROM archive.transactions`,
	"runs":         `SELECT run_id || ' ' || concat_ws('|', kind, status, date_trunc('milliseconds', started_at), sync_left_held, sums_key, checkpoint_at IS NULL) FROM archive.runs`,
	"outcomes": `SELECT run_id || '/' || o.subject || ' ' || concat_ws('|', outcome, class, state, requests, bytes, o.transaction_id, record_key, record_sha256)
		FROM archive.outcomes AS o`,
	"users": `SELECT s.subject || ' ' || concat_ws('|', s.user_id, s.verified_at, s.transaction_id, s.due_reason, s.next_due_at IS NULL)
		FROM archive.subjects AS s WHERE s.left_at IS NULL`,
	"subjects": `SELECT s.subject || ' ' || concat_ws('|', s.state, s.last_class, s.settled, s.newest_transaction, s.archived_at IS NULL, s.unlisted_at IS NULL, s.attempts, s.last_run_id,
		s.left_at IS NOT NULL) FROM archive.subjects AS s`,
	"log_entries":   `SELECT log_index || ' ' || concat_ws('|', sha256, kind, key) FROM archive.log_entries`,
	"log":           `SELECT 'log ' || concat_ws('|', size, root, etag) FROM archive.log`,
	"log_waiting":   `SELECT key || ' ' || concat_ws('|', sha256, kind) FROM archive.log_waiting`,
	"access_log":    `SELECT audit_key || ' ' || concat_ws('|', at, action, actor, subject, reason, objects, audit_sha256) FROM archive.access_log`,
	"verifications": `SELECT audit_key || ' ' || concat_ws('|', started_at, ended_at, mode, scope, objects, records, damaged, findings, audit_sha256) FROM archive.verifications`,
	"exceptions": `SELECT audit_key || subject || ' ' || concat_ws('|', transaction_id, verified_at, class, act, reason, actor, at, audit_sha256)
		FROM archive.exceptions`,
	"archive": `SELECT 'archive ' || concat_ws('|', layout_version, origin, tenancy_name, key_check, place) FROM archive.archive`,
}

func tables(r *audittest.Archive) map[string]map[string]string {
	r.T.Helper()
	all := make(map[string]map[string]string)
	for table, sql := range known {
		all[table] = archivetest.Index(archivetest.Query[string](r.Tenant, sql))
	}
	return all
}

// lose is the loss of the ledger.
func lose(r *audittest.Archive) {
	r.T.Helper()
	r.ExecLedger(`DROP SCHEMA archive CASCADE`)
	if _, err := postgres.Migrate(r.T.Context(), store.Sensitive(r.LedgerURL), postgres.Up); err != nil {
		r.T.Fatal(err)
	}
}

// rebuildLedger fills the ledger; change edits what does it.
func rebuildLedger(ctx context.Context, r *audittest.Archive, change func(*rebuild.Rebuilder)) (store.Rebuilt, []string, error) {
	r.T.Helper()
	source, err := postgres.OpenSource(ctx, postgres.SourceConfig{
		URL: store.Sensitive(r.SourceURL), UsersSQL: "SELECT id, email, phone, transaction_id, verified_at FROM users", Identifiers: []string{"phone"},
	})
	if err != nil {
		return store.Rebuilt{}, nil, err
	}
	defer source.Close()
	var rebuilt store.Rebuilt
	var leftOut []string
	err = postgres.NewUsers(source, r.Ledger).Rebuild(ctx, r.Identity(), r.Key(), false, func(ledger *postgres.Rebuild) (err error) {
		rebuilder := &rebuild.Rebuilder{
			Ledger: ledger, Bucket: r.Bucket, Layout: r.Layout, VerifierKey: archivetest.VerifierKey,
			NextDue: func(result store.Result) time.Duration { return worker.NextDue(result, 2160*time.Hour) },
			Warn:    func(key string, _ error) { leftOut = append(leftOut, key) },
		}
		if change != nil {
			change(rebuilder)
		}
		rebuilt, err = rebuilder.Rebuild(ctx)
		return err
	})
	return rebuilt, leftOut, err
}
