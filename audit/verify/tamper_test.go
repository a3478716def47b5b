package verify_test

import (
	"bytes"
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

// objectTamperings are what can be done to an object of any class.
func objectTamperings(class string, find func(a *audittest.Archive) string) []tampering {
	return []tampering{
		{class + ": a bit is flipped", "", sorts(verify.Changed, verify.LogChanged, verify.Unsigned), func(a *audittest.Archive) string {
			key := find(a)
			o := a.Get(key)
			o.Body[len(o.Body)/2] ^= 1
			a.Put(key, o)
			return key
		}},
		{class + ": it is cut", "", sorts(verify.Truncated, verify.Changed, verify.Unsigned), func(a *audittest.Archive) string {
			key := find(a)
			o := a.Get(key)
			o.Body = o.Body[:len(o.Body)-10]
			a.Put(key, o)
			return key
		}},
		{class + ": it is emptied, its metadata too", "", sorts(verify.Truncated, verify.Changed), func(a *audittest.Archive) string {
			key := find(a)
			a.Put(key, archivetest.Object{})
			return key
		}},
		{class + ": it is deleted", "", sorts(verify.Missing, verify.LogMissing), func(a *audittest.Archive) string {
			key := find(a)
			a.Remove(key)
			return key
		}},
		{class + ": bytes are added", "", sorts(verify.Changed, verify.LogChanged, verify.Unsigned), func(a *audittest.Archive) string {
			key := find(a)
			o := a.Get(key)
			o.Body = append(o.Body, "more"...)
			a.Put(key, o)
			return key
		}},
	}
}

// swap exchanges the content of two objects, metadata included.
func swap(a *audittest.Archive, one, other string) string {
	x, y := a.Get(one), a.Get(other)
	a.Put(one, y)
	a.Put(other, x)
	return one
}

// copied puts a copy of an object under another key.
func copied(a *audittest.Archive, from, to string) string {
	a.Put(to, a.Get(from))
	return to
}

func runFile(name string) func(a *audittest.Archive) string {
	return func(a *audittest.Archive) string { return a.KeyOf("/runs/", "/first/", name) }
}

// image and record are of a user whom no attempt will touch again.
func image(a *audittest.Archive) string {
	return a.KeyOf(archivetest.SubjectOf("u-000001"), "/id_front.")
}

func record(a *audittest.Archive) string {
	return a.KeyOf(archivetest.SubjectOf("u-000001"), "/record.0001.json")
}

// reordered is the lines of a text in another order.
func reordered(body []byte) []byte {
	lines := strings.SplitAfter(string(body), "\n")
	slices.Reverse(lines)
	return []byte(strings.Join(lines, ""))
}

func tamperings() []tampering {
	all := slices.Concat(
		objectTamperings("image", image),
		objectTamperings("record", record),
		objectTamperings("manifest.jsonl.gz", runFile("manifest.jsonl.gz")),
		objectTamperings("summary.json", runFile("summary.json")),
		objectTamperings("SHA256SUMS", runFile("SHA256SUMS")),
		objectTamperings("objects.csv", runFile("objects.csv")),
		objectTamperings("run's checkpoint", runFile("/checkpoint")),
		objectTamperings("archive.json", func(a *audittest.Archive) string { return a.Layout.Archive() }),
		statementTamperings(),
	)
	for _, part := range []string{"/log/tile/0/", "/log/tile/entries/"} {
		all = append(all, objectTamperings(part, func(a *audittest.Archive) string {
			keys := a.Keys(part)
			return keys[len(keys)-1]
		})...)
	}
	all = append(all, objectTamperings("log checkpoint", func(a *audittest.Archive) string { return a.Layout.Checkpoint() })...)
	return append(all, []tampering{
		{"image: two are swapped", "", sorts(verify.Changed), func(a *audittest.Archive) string {
			keys := a.Keys("/id_front.")
			return swap(a, keys[0], keys[1])
		}},
		{"image: another user's, in its place", "", sorts(verify.Changed), func(a *audittest.Archive) string {
			keys := a.Keys("/id_front.")
			return copied(a, keys[0], keys[1])
		}},
		{"image: a copy under another kind", "", sorts(verify.Unexpected), func(a *audittest.Archive) string {
			return copied(a, image(a), strings.Replace(image(a), "/id_front.", "/liveness.", 1))
		}},
		{"image: foreign bytes under a good key", "", sorts(verify.Unexpected), func(a *audittest.Archive) string {
			key := strings.Replace(image(a), "/id_front.", "/id_front.0000", 1)
			key = key[:strings.LastIndex(key, ".0000")+5] + "000000000000.jpg"
			a.Put(key, archivetest.Object{Body: []byte("foreign"), MIME: "image/jpeg"})
			return key
		}},
		{"image: a file of another name", "", sorts(verify.Unexpected), func(a *audittest.Archive) string {
			key := image(a)[:strings.LastIndex(image(a), "/")] + "/notes.txt"
			a.Put(key, archivetest.Object{Body: []byte("foreign")})
			return key
		}},
		{"image: the same size and metadata, other bytes", "", sorts(verify.Changed), func(a *audittest.Archive) string {
			o := a.Get(image(a))
			o.Body = bytes.Repeat([]byte{7}, len(o.Body))
			a.Put(image(a), o)
			return image(a)
		}},
		{"record: two are swapped", "", sorts(verify.Changed), func(a *audittest.Archive) string {
			keys := a.Keys("/record.0001.json")
			return swap(a, keys[0], keys[1])
		}},
		{"record: a copy as the next one", "", sorts(verify.Unexpected), func(a *audittest.Archive) string {
			return copied(a, record(a), strings.Replace(record(a), "0001", "0002", 1))
		}},
		{"record: a well-made next one", "", sorts(verify.Unexpected), func(a *audittest.Archive) string {
			o := a.Get(record(a))
			o.Body = bytes.Replace(o.Body, []byte(`"sequence": 1`), []byte(`"sequence": 2`), 1)
			key := strings.Replace(record(a), "0001", "0002", 1)
			a.Put(key, o)
			return key
		}},
		{"record: it is rewritten", "", sorts(verify.Changed), func(a *audittest.Archive) string {
			o := a.Get(record(a))
			o.Body = bytes.Replace(o.Body, []byte(`"stored"`), []byte(`"absent"`), 1)
			a.Put(record(a), o)
			return record(a)
		}},
		{"run: a foreign file", "", sorts(verify.Unexpected), func(a *audittest.Archive) string {
			return copied(a, runFile("summary.json")(a), strings.Replace(runFile("summary.json")(a), "summary", "report", 1))
		}},
		{"run: a whole one that never was", "", sorts(verify.LedgerMissing), func(a *audittest.Archive) string {
			return copied(a, runFile("summary.json")(a), strings.Replace(runFile("summary.json")(a), "/first/", "/forged/", 1))
		}},
		{"run: files of two are swapped", "", sorts(verify.Changed, verify.LedgerDiffers), func(a *audittest.Archive) string {
			return swap(a, runFile("SHA256SUMS")(a), a.KeyOf("/second/", "SHA256SUMS"))
		}},
		{"SHA256SUMS: lines are reordered", "", sorts(verify.Changed), func(a *audittest.Archive) string {
			key := runFile("SHA256SUMS")(a)
			o := a.Get(key)
			o.Body = reordered(o.Body)
			a.Put(key, o)
			return key
		}},
		{"objects.csv: lines are reordered", "", sorts(verify.Changed), func(a *audittest.Archive) string {
			key := runFile("objects.csv")(a)
			o := a.Get(key)
			o.Body = reordered(o.Body)
			a.Put(key, o)
			return key
		}},
		{"run: its checkpoint is that of an earlier state", "", sorts(verify.Changed), func(a *audittest.Archive) string {
			return copied(a, a.KeyOf("/first/", "/checkpoint"), a.KeyOf("/second/", "/checkpoint"))
		}},
		{"run: its checkpoint is flipped", "", sorts(verify.Unsigned), func(a *audittest.Archive) string {
			key := a.KeyOf("/first/", "/checkpoint")
			o := a.Get(key)
			o.Body[len(o.Body)-10] ^= 1
			a.Put(key, o)
			return key
		}},
		{"log: the checkpoint is rolled back to an earlier one", "", sorts(verify.RolledBack), func(a *audittest.Archive) string {
			return copied(a, a.KeyOf("/first/", "/checkpoint"), a.Layout.Checkpoint())
		}},
		{"log: rolled back, and the ledger with it", "", sorts(verify.RolledBack), func(a *audittest.Archive) string {
			key := copied(a, a.KeyOf("/first/", "/checkpoint"), a.Layout.Checkpoint())
			lines := strings.Split(string(a.Get(key).Body), "\n")
			a.Edit(`UPDATE archive.log SET size = $1, root = $2`, lines[1], lines[2])
			return key
		}},
		{"log: the hash of a record, there and in the ledger", "", sorts(verify.LogChanged, verify.LedgerDiffers), func(a *audittest.Archive) string {
			a.Edit(`UPDATE archive.log_entries SET sha256 = repeat('0', 64) WHERE key = $1`, record(a))
			return record(a)
		}},
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
		{"outside the layout", "", sorts(verify.Unexpected), func(a *audittest.Archive) string {
			key := a.Layout.Prefix + "/notes.txt"
			a.Put(key, archivetest.Object{Body: []byte("foreign")})
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
			a.Edit(`UPDATE archive.images SET class = 'too_large' WHERE state = 'gone'`)
			return folder(a, `SELECT subject || ' ' || transaction_id FROM archive.images WHERE state = 'gone'`)
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
	}...)
}

// folder is the key prefix of the transaction that a query gives.
func folder(a *audittest.Archive, sql string) string {
	a.T.Helper()
	subject, transaction, _ := strings.Cut(archivetest.Query[string](a.Tenant, sql)[0], " ")
	return a.Layout.Transaction(store.Subject(subject), transaction)
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

// subjectFolder is the prefix of all that is archived for the subject of a key.
func subjectFolder(key string) string {
	return strings.Join(strings.Split(key, "/")[:4], "/") + "/"
}
