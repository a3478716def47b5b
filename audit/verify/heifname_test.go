package verify_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
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

// Earlier versions stored HEIF of any codec under .heic. It is whole evidence.
func TestHEIFUnderItsOldName(t *testing.T) {
	t.Parallel()
	a := audittest.NewIn(t, s3server.Plain, bucket.ObjectLock{}, vlenstest.Options{People: 2})
	serveImages(a, map[string]string{"_id_front_": "\x00\x00\x00\x14ftypmif1\x00\x00\x00\x00mif1" + strings.Repeat("\x00", 500)})
	a.RunUnsealed("first")

	// The run is as before it was closed, so that no file of it has the new names.
	for _, key := range a.Keys("/runs/") {
		a.Remove(key)
	}
	a.Edit(`UPDATE archive.runs SET status = 'open', ended_at = NULL, sums_key = ''`)
	for _, key := range a.Keys(".heif") {
		old := strings.TrimSuffix(key, "heif") + "heic"
		a.Put(old, a.Get(key))
		a.Remove(key)
		a.Edit(`UPDATE archive.images SET key = $2 WHERE key = $1`, key, old)
	}
	for _, key := range a.Keys("/record.") {
		record := a.Get(key)
		record.Body = bytes.ReplaceAll(record.Body, []byte(".heif"), []byte(".heic"))
		hash := fmt.Sprintf("%x", sha256.Sum256(record.Body))
		record.Metadata["sha256"] = hash
		a.Put(key, record)
		a.Edit(`UPDATE archive.records SET sha256 = $2 WHERE key = $1;
			UPDATE archive.outcomes SET record_sha256 = $2 WHERE record_key = $1;
			UPDATE archive.log_waiting SET sha256 = $2 WHERE key = $1`, key, hash)
	}
	if n := a.Count(`SELECT count(*) FROM archive.images WHERE media_type = 'image/heif' AND key LIKE '%.heic'`); n != 2 || len(a.Keys(".heic")) != 2 {
		t.Fatalf("%d rows and %d objects have the old name", n, len(a.Keys(".heic")))
	}
	for _, mode := range []store.VerifyMode{store.VerifyDefault, store.VerifyDeep} {
		clean(t, check(a, mode), verify.NoLog)
	}

	// So it is while only the bucket knows of it.
	forgetRunOf(a, archivetest.SubjectOf("u-000001"))
	clean(t, check(a, store.VerifyDefault), verify.NoLog, verify.Leftover)
}
