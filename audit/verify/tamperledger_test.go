package verify_test

import (
	"strings"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
)

// ledgerTamperings are of who has the database only.
func ledgerTamperings() []tampering {
	return []tampering{
		{"ledger: an entry of the log is deleted", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			a.Edit(`DELETE FROM archive.log_entries WHERE key = $1`, record(a))
			return a.Keys("/log/tile/entries/")[len(a.Keys("/log/tile/entries/"))-1]
		}},
		{"ledger: two entries of the log are exchanged", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			key := archivetest.Query[string](a.Tenant, `SELECT key FROM archive.log_entries WHERE log_index = 0`)[0]
			a.Edit(`UPDATE archive.log_entries SET log_index = 1 - log_index + 1000000 WHERE log_index IN (0, 1);
				UPDATE archive.log_entries SET log_index = log_index - 1000000 WHERE log_index >= 1000000`)
			return key
		}},
		{"ledger: a user is deleted", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			a.Edit(`DELETE FROM archive.subjects WHERE starts_with($1, 'vlens/subjects/' || left(subject, 2) || '/' || subject || '/')`, record(a))
			return subjectFolder(record(a))
		}},
		{"ledger: a user is said to be another", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.subjects SET user_id = 'somebody else' WHERE starts_with($1, 'vlens/subjects/' || left(subject, 2) || '/' || subject || '/')`, record(a))
			return subjectFolder(record(a))
		}},
		{"ledger: an image's hash", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.images SET sha256 = repeat('0', 64) WHERE key = $1`, image(a))
			return image(a)
		}},
		{"ledger: an image's size", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.images SET bytes = bytes + 1 WHERE key = $1`, image(a))
			return image(a)
		}},
		{"ledger: an image's etag", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.images SET etag = 'another' WHERE key = $1`, image(a))
			return image(a)
		}},
		{"ledger: an image's flags", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.images SET flags = '{truncated}' WHERE key = $1`, image(a))
			return image(a)
		}},
		{"ledger: when an image was fetched", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.images SET fetched_at = fetched_at - interval '1 day' WHERE key = $1`, image(a))
			return image(a)
		}},
		{"ledger: an image's reference", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.images SET ref = repeat('0', 32) WHERE key = $1`, image(a))
			return image(a)
		}},
		{"ledger: an image's row is deleted", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			a.Edit(`DELETE FROM archive.images WHERE key = $1`, image(a))
			return image(a)
		}},
		{"ledger: an image's key", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			key := image(a)
			a.Edit(`UPDATE archive.images SET key = replace(key, 'id_front', 'id_back') WHERE key = $1`, key)
			return key
		}},
		{"ledger: an image that never was", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			key := strings.Replace(image(a), "/id_front.", "/face_1.", 1)
			a.Edit(`INSERT INTO archive.images (subject, transaction_id, kind, ref, state, key, bytes, media_type, sha256, run_id)
				SELECT subject, transaction_id, 'face_1', repeat('1', 32), state, $2, bytes, media_type, sha256, run_id
				FROM archive.images WHERE key = $1`, image(a), key)
			return key
		}},
		{"ledger: an image is said to be absent", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			key := image(a)
			a.Edit(`UPDATE archive.images SET state = 'absent' WHERE key = $1`, key)
			return key
		}},
		{"ledger: what became of an image that is not stored", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.images SET class = 'too_large' WHERE state = 'rejected'`)
			return folder(a, `SELECT subject || ' ' || transaction_id FROM archive.images WHERE state = 'rejected'`)
		}},
		{"ledger: a record's hash", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.records SET sha256 = repeat('0', 64) WHERE key = $1`, record(a))
			return record(a)
		}},
		{"ledger: a record's time", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.records SET archived_at = archived_at - interval '1 day' WHERE key = $1`, record(a))
			return record(a)
		}},
		{"ledger: a record's version", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.records SET version_id = 'another' WHERE key = $1`, record(a))
			return record(a)
		}},
		{"ledger: a record's row is deleted", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			a.Edit(`DELETE FROM archive.records WHERE key = $1`, record(a))
			return record(a)
		}},
		{"ledger: all of a subject is deleted", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			key := record(a)
			a.Edit(`DELETE FROM archive.images WHERE starts_with($1, regexp_replace(key, '[^/]*$', '')) AND key <> '';
				DELETE FROM archive.records WHERE key = $1`, key)
			return key
		}},
		{"ledger: an outcome", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.outcomes SET requests = requests + 1 WHERE run_id = 'first' AND record_key = $1`, record(a))
			return runFile("manifest.jsonl.gz")(a)
		}},
		{"ledger: an outcome is deleted", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`DELETE FROM archive.outcomes WHERE run_id = 'first' AND record_key = $1`, record(a))
			return runFile("manifest.jsonl.gz")(a)
		}},
		{"ledger: the run of an image", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.images SET run_id = 'second' WHERE key = $1`, image(a))
			return runFile("SHA256SUMS")(a)
		}},
		{"ledger: the status of a run", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.runs SET status = 'interrupted' WHERE run_id = 'first'`)
			return runFile("summary.json")(a)
		}},
		{"ledger: which archive it is", "", sorts(verify.Missing), func(a *audittest.Archive) string {
			a.Remove(a.Layout.Archive())
			return a.Layout.Archive()
		}},
		{"ledger: it does not say which archive it is", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			a.Edit(`DELETE FROM archive.archive`)
			return a.Layout.Archive()
		}},
		{"ledger: a user is said to be archived", "", sorts(verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.subjects SET state = 'archived' WHERE state = 'no_images'`)
			return a.Layout.Subject(store.Subject(archivetest.Query[string](a.Tenant, `
				SELECT subject FROM archive.subjects AS s
				WHERE state = 'archived' AND NOT EXISTS (SELECT 1 FROM archive.records AS r WHERE r.subject = s.subject)`)[0]))
		}},
	}
}

// folder is the key prefix of the transaction that a query gives.
func folder(a *audittest.Archive, sql string) string {
	a.T.Helper()
	subject, transaction, _ := strings.Cut(archivetest.Query[string](a.Tenant, sql)[0], " ")
	return a.Layout.Transaction(store.Subject(subject), transaction)
}

// subjectFolder is the prefix of all that is archived for the subject of a key.
func subjectFolder(key string) string {
	return strings.Join(strings.Split(key, "/")[:4], "/") + "/"
}
