package audit_test

import (
	"bytes"
	"path/filepath"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store/manifest"
)

// export hands out the evidence of a user whose record is in the log.
func (a *archived) export() {
	a.T.Helper()
	if err := a.tryExport(); err != nil {
		a.T.Fatal(err)
	}
}

func (a *archived) tryExport() error {
	a.T.Helper()
	exporter := audit.Exporter{
		Ledger: a.ledger, Bucket: a.bucket, Layout: a.layout, Identity: archivetest.WorkerConfig("", a.Key(), "").Identity,
		VerifierKey: archivetest.VerifierKey, Actor: "officer", Tool: manifest.Tool{Version: "test"},
	}
	_, err := exporter.Export(a.T.Context(), a.Key().Subject("u-000001"), "case 7", audit.Folder(filepath.Join(a.T.TempDir(), "bag")))
	return err
}

// exportStatement and verifyStatement are of what was done before the
// tamperings began.
func exportStatement(a *archived) string { return a.key("/audit/", "/export-") }

func verifyStatement(a *archived) string { return a.key("/audit/", "/verify-") }

// another makes a key of the same form, with another id.
func another(key string) string { return key[:len(key)-len("00000000.json")] + "ffffffff.json" }

func rewritten(a *archived, key, old, by string) string {
	o := a.get(key)
	body := bytes.Replace(o.Body, []byte(old), []byte(by), 1)
	if bytes.Equal(body, o.Body) {
		a.T.Fatalf("%q does not have %q", key, old)
	}
	o.Body = body
	a.put(key, o)
	return key
}

// unhashed makes a row one of the time when rows had no hash of the statement.
const unhashed = `UPDATE archive.access_log SET audit_sha256 = '' WHERE audit_key = $1`

func statementTamperings() []tampering {
	row := func(what, sql string, find func(a *archived) string, sort audit.Sort) tampering {
		return tampering{"ledger: " + what, "", sorts(sort), func(a *archived) string {
			key := find(a)
			a.edit(sql+` WHERE audit_key = $1`, key)
			return key
		}}
	}
	access := func(what, set string) tampering {
		return row("an export's "+what, `UPDATE archive.access_log SET `+set, exportStatement, audit.LedgerDiffers)
	}
	verification := func(what, set string) tampering {
		return row("a verification's "+what, `UPDATE archive.verifications SET `+set, verifyStatement, audit.LedgerDiffers)
	}
	all := objectTamperings("export statement", exportStatement)
	all = append(all, objectTamperings("verification statement", verifyStatement)...)
	return append(all, []tampering{
		access("time", `at = at - interval '1 day'`),
		access("action", `action = 'view'`),
		access("actor", `actor = 'somebody'`),
		access("subject", `subject = repeat('a', 26)`),
		access("reason", `reason = 'another'`),
		access("number of objects", `objects = objects + 1`),
		row("the hash of an export's statement", `UPDATE archive.access_log SET audit_sha256 = repeat('0', 64)`, exportStatement, audit.Changed),
		row("an export is deleted", `DELETE FROM archive.access_log`, exportStatement, audit.LedgerMissing),
		row("an export is cut off from its statement", `UPDATE archive.access_log SET audit_key = ''`, exportStatement, audit.LedgerMissing),
		row("an export is entered twice", `INSERT INTO archive.access_log (at, action, actor, subject, reason, objects, audit_key, audit_sha256)
			SELECT at, action, actor, subject, reason, objects, audit_key, audit_sha256 FROM archive.access_log`, exportStatement, audit.LedgerDiffers),
		verification("start", `started_at = started_at - interval '1 day'`),
		verification("end", `ended_at = ended_at + interval '1 day'`),
		verification("mode", `mode = 'default'`),
		verification("scope", `scope = '{"subject": "x"}'`),
		verification("number of objects", `objects = objects + 1`),
		verification("number of records", `records = records + 1`),
		verification("damage", `damaged = damaged + 1`),
		verification("findings", `findings = '{"missing": 1}'`),
		row("a verification is deleted", `DELETE FROM archive.verifications`, verifyStatement, audit.LedgerMissing),
		{"statement: another reason", "", sorts(audit.Changed), func(a *archived) string {
			return rewritten(a, exportStatement(a), "case 7", "case 8")
		}},
		{"statement: another reason, where the ledger has no hash of it", "", sorts(audit.LedgerDiffers), func(a *archived) string {
			a.edit(unhashed, exportStatement(a))
			return rewritten(a, exportStatement(a), "case 7", "case 8")
		}},
		{"statement: two are swapped", "", sorts(audit.Changed), func(a *archived) string {
			keys := a.keys("/audit/", "/export-")
			return swap(a, keys[0], keys[1])
		}},
		{"statement: two are swapped, where the ledger has no hash of them", "", sorts(audit.Changed), func(a *archived) string {
			keys := a.keys("/audit/", "/export-")
			a.edit(unhashed, keys[0])
			return swap(a, keys[0], keys[1])
		}},
		{"statement: a copy under another key", "", sorts(audit.Unexpected), func(a *archived) string {
			return copied(a, exportStatement(a), another(exportStatement(a)))
		}},
		{"statement: of an export that never was", "", sorts(audit.LedgerMissing), func(a *archived) string {
			key := exportStatement(a)
			o := a.get(key)
			id := func(key string) string { return strings.TrimSuffix(key[strings.LastIndex(key, "/")+1:], ".json") }
			o.Body = bytes.Replace(o.Body, []byte(id(key)), []byte(id(another(key))), 1)
			a.put(another(key), o)
			return another(key)
		}},
		{"statement: a foreign file beside", "", sorts(audit.Unexpected), func(a *archived) string {
			key := a.layout.Audits() + "notes.txt"
			a.put(key, archivetest.Object{Body: []byte("x")})
			return key
		}},
	}...)
}
