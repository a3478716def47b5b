package verify_test

import (
	"bytes"
	"slices"
	"strings"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/archivetest"
)

// partTamperings are what can be done to an object, for each class of objects.
func partTamperings() []tampering {
	all := slices.Concat(
		objectTamperings("image", image),
		objectTamperings("record", record),
		objectTamperings("manifest.jsonl.gz", runFile("manifest.jsonl.gz")),
		objectTamperings("summary.json", runFile("summary.json")),
		objectTamperings("SHA256SUMS", runFile("SHA256SUMS")),
		objectTamperings("objects.csv", runFile("objects.csv")),
		objectTamperings("run's checkpoint", runFile("/checkpoint")),
		objectTamperings("archive.json", func(a *audittest.Archive) string { return a.Layout.Archive() }),
	)
	for _, part := range []string{"/log/tile/0/", "/log/tile/entries/"} {
		all = append(all, objectTamperings(part, func(a *audittest.Archive) string {
			keys := a.Keys(part)
			return keys[len(keys)-1]
		})...)
	}
	all = append(all, objectTamperings("log checkpoint", func(a *audittest.Archive) string { return a.Layout.Checkpoint() })...)
	return all
}

// bucketTamperings need more than one object, or one of a certain content.
func bucketTamperings() []tampering {
	return []tampering{
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
		{"outside the layout", "", sorts(verify.Unexpected), func(a *audittest.Archive) string {
			key := a.Layout.Prefix + "/notes.txt"
			a.Put(key, archivetest.Object{Body: []byte("foreign")})
			return key
		}},
	}
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

// reordered is the lines of a text in another order.
func reordered(body []byte) []byte {
	lines := strings.SplitAfter(string(body), "\n")
	slices.Reverse(lines)
	return []byte(strings.Join(lines, ""))
}
