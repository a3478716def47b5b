package verify_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"vlens-archiver/audit"
	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/export"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
)

// exportEvidence hands out the evidence of a user whose record is in the log.
func exportEvidence(a *audittest.Archive) {
	a.T.Helper()
	if err := tryExport(a); err != nil {
		a.T.Fatal(err)
	}
}

func tryExport(a *audittest.Archive) error {
	a.T.Helper()
	_, err := a.Exporter().Export(a.T.Context(), audittest.SubjectOf("u-000001"), "case 7", export.Folder(filepath.Join(a.T.TempDir(), "bag")))
	return err
}

// exportStatement and verifyStatement are of what was done before the
// tamperings began.
func exportStatement(a *audittest.Archive) string { return a.KeyOf("/audit/", "/export-") }

func verifyStatement(a *audittest.Archive) string { return a.KeyOf("/audit/", "/verify-") }

func acceptStatement(a *audittest.Archive) string { return a.KeyOf("/audit/", "/accept-") }

// another makes a key of the same form, with another id.
func another(key string) string { return key[:len(key)-len("00000000.json")] + "ffffffff.json" }

func rewritten(a *audittest.Archive, key, old, by string) string {
	o := a.Get(key)
	body := bytes.Replace(o.Body, []byte(old), []byte(by), 1)
	if bytes.Equal(body, o.Body) {
		a.T.Fatalf("%q does not have %q", key, old)
	}
	o.Body = body
	a.Put(key, o)
	return key
}

// unhashed makes a row one of the time when rows had no hash of the statement.
const unhashed = `UPDATE archive.access_log SET audit_sha256 = '' WHERE audit_key = $1`

func statementTamperings() []tampering {
	row := func(what, sql string, find func(a *audittest.Archive) string, sort verify.Sort) tampering {
		return tampering{"ledger: " + what, "", sorts(sort), func(a *audittest.Archive) string {
			key := find(a)
			a.Edit(sql+` WHERE audit_key = $1`, key)
			return key
		}}
	}
	access := func(what, set string) tampering {
		return row("an export's "+what, `UPDATE archive.access_log SET `+set, exportStatement, verify.LedgerDiffers)
	}
	verification := func(what, set string) tampering {
		return row("a verification's "+what, `UPDATE archive.verifications SET `+set, verifyStatement, verify.LedgerDiffers)
	}
	exception := func(what, set string) tampering {
		return row("an exception's "+what, `UPDATE archive.exceptions SET `+set, acceptStatement, verify.LedgerDiffers)
	}
	all := objectTamperings("export statement", exportStatement)
	all = append(all, objectTamperings("statement of an exception", acceptStatement)...)
	all = append(all, objectTamperings("verification statement", verifyStatement)...)
	return append(all, []tampering{
		access("time", `at = at - interval '1 day'`),
		access("action", `action = 'view'`),
		access("actor", `actor = 'somebody'`),
		access("subject", `subject = repeat('a', 26)`),
		access("reason", `reason = 'another'`),
		access("number of objects", `objects = objects + 1`),
		row("the hash of an export's statement", `UPDATE archive.access_log SET audit_sha256 = repeat('0', 64)`, exportStatement, verify.Changed),
		row("an export is deleted", `DELETE FROM archive.access_log`, exportStatement, verify.LedgerMissing),
		row("an export is cut off from its statement", `UPDATE archive.access_log SET audit_key = ''`, exportStatement, verify.LedgerMissing),
		row("an export is entered twice", `INSERT INTO archive.access_log (at, action, actor, subject, reason, objects, audit_key, audit_sha256)
			SELECT at, action, actor, subject, reason, objects, audit_key, audit_sha256 FROM archive.access_log`, exportStatement, verify.LedgerDiffers),
		verification("start", `started_at = started_at - interval '1 day'`),
		verification("end", `ended_at = ended_at + interval '1 day'`),
		verification("mode", `mode = 'default'`),
		verification("scope", `scope = '{"subject": "x"}'`),
		verification("number of objects", `objects = objects + 1`),
		verification("number of records", `records = records + 1`),
		verification("damage", `damaged = damaged + 1`),
		verification("findings", `findings = '{"missing": 1}'`),
		row("a verification is deleted", `DELETE FROM archive.verifications`, verifyStatement, verify.LedgerMissing),
		exception("subject", `subject = repeat('a', 26)`),
		exception("verification", `transaction_id = ''`),
		exception("date", `verified_at = now()`),
		exception("class", `class = 'gone'`),
		exception("act", `act = 'withdrawn'`),
		exception("reason", `reason = 'another'`),
		exception("actor", `actor = 'somebody'`),
		exception("time", `at = at - interval '1 day'`),
		row("the hash of an exception's statement", `UPDATE archive.exceptions SET audit_sha256 = repeat('0', 64)`, acceptStatement, verify.Changed),
		row("an exception is deleted", `DELETE FROM archive.exceptions`, acceptStatement, verify.LedgerMissing),
		row("an exception more", `INSERT INTO archive.exceptions (subject, transaction_id, class, act, reason, actor, at, audit_key, audit_sha256)
			SELECT repeat('a', 26), transaction_id, class, act, reason, actor, at, audit_key, audit_sha256 FROM archive.exceptions`, acceptStatement, verify.LedgerDiffers),
		{"ledger: the place of an exception in the log", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			bundle := fmt.Sprintf("%stile/entries/000.p/%d", a.Layout.Log(), a.Count(`SELECT size FROM archive.log`))
			a.Edit(`DELETE FROM archive.log_entries WHERE key = $1`, acceptStatement(a))
			return bundle
		}},
		{"an exception and its statement are removed together", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			key := acceptStatement(a)
			a.Edit(`DELETE FROM archive.exceptions WHERE audit_key = $1`, key)
			a.Remove(key)
			return key
		}},
		{"an exception and its statement are rewritten together", "", sorts(verify.LogChanged, verify.LedgerDiffers), func(a *audittest.Archive) string {
			key := rewritten(a, acceptStatement(a), audittest.Reason, "another reason")
			a.Edit(`UPDATE archive.exceptions SET reason = 'another reason', audit_sha256 = $2 WHERE audit_key = $1`, key, audit.HashOf(a.Get(key).Body))
			return key
		}},
		{"statement: another reason", "", sorts(verify.Changed), func(a *audittest.Archive) string {
			return rewritten(a, exportStatement(a), "case 7", "case 8")
		}},
		{"statement: another reason, where the ledger has no hash of it", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(unhashed, exportStatement(a))
			return rewritten(a, exportStatement(a), "case 7", "case 8")
		}},
		{"statement: two are swapped", "", sorts(verify.Changed), func(a *audittest.Archive) string {
			keys := a.Keys("/audit/", "/export-")
			return swap(a, keys[0], keys[1])
		}},
		{"statement: two are swapped, where the ledger has no hash of them", "", sorts(verify.Changed), func(a *audittest.Archive) string {
			keys := a.Keys("/audit/", "/export-")
			a.Edit(unhashed, keys[0])
			return swap(a, keys[0], keys[1])
		}},
		{"statement: a copy under another key", "", sorts(verify.Unexpected), func(a *audittest.Archive) string {
			return copied(a, exportStatement(a), another(exportStatement(a)))
		}},
		{"statement: of an export that never was", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			key := exportStatement(a)
			o := a.Get(key)
			id := func(key string) string { return strings.TrimSuffix(key[strings.LastIndex(key, "/")+1:], ".json") }
			o.Body = bytes.Replace(o.Body, []byte(id(key)), []byte(id(another(key))), 1)
			a.Put(another(key), o)
			return another(key)
		}},
		{"statement: a foreign file beside", "", sorts(verify.Unexpected), func(a *audittest.Archive) string {
			key := a.Layout.Audits() + "notes.txt"
			a.Put(key, archivetest.Object{Body: []byte("x")})
			return key
		}},
	}...)
}

// An exception waits for its place in the log like a record.
func TestUnsealedException(t *testing.T) {
	t.Parallel()
	a := audittest.NewSealed(t)
	a.Accept(audittest.ExportedUser)
	report := check(a, store.VerifyDefault)
	clean(t, report, verify.Unsealed)
	if !has(report, verify.Unsealed, acceptStatement(a)) {
		t.Errorf("%+v", report.Findings)
	}
	a.Run("third", nil)
	clean(t, check(a, store.VerifyDefault))
}

// What a statement of another ledger says needs no row in this one.
func TestStatementsOfAnotherLedger(t *testing.T) {
	t.Parallel()
	a := audittest.NewSealed(t)
	exportEvidence(a)
	a.Edit(`DELETE FROM archive.access_log`)
	if report := check(a, store.VerifyDefault); !has(report, verify.LedgerMissing, exportStatement(a)) {
		t.Errorf("of this ledger: %+v", report.Findings)
	}
	a.Edit(`UPDATE archive.archive SET ledger_id = gen_random_uuid()`)
	clean(t, check(a, store.VerifyDefault))
}
