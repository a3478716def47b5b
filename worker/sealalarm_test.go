package worker_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store/manifest"
	"vlens-archiver/worker"
)

// overwrite puts an object as anybody with the right to write can.
func overwrite(tn *archivetest.Tenant, key string, body []byte) {
	tn.T.Helper()
	_, err := tn.S3.Client().PutObject(tn.T.Context(), &s3.PutObjectInput{
		Bucket: aws.String(archivetest.BucketName), Key: &key, Body: bytes.NewReader(body),
	})
	if err != nil {
		tn.T.Fatal(err)
	}
}

func TestTamperedLogIsAnAlarm(t *testing.T) {
	t.Parallel()
	tn := sealed(t, 3)
	tn.Run("one", nil)
	old := tn.ObjectsUnder(checkpointKey)[checkpointKey].Body
	tn.Run("two", nil)

	sign := func(key manifest.SigningKey, origin string, size int64) []byte {
		body, err := manifest.Checkpoint{Origin: origin, Size: size, Root: tlog.RecordHash([]byte("forged"))}.Sign(key.Signer())
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	own := archivetest.Signing(t)
	text, err := manifest.GenerateSigningKey(archivetest.Origin)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := manifest.ParseSigningKey(text)
	if err != nil {
		t.Fatal(err)
	}
	const size = 5 // three records and two runs
	lastTile := archivetest.Prefix + "/log/tile/0/000.p/5"
	for _, c := range []struct {
		name, says string
		tamper     func()
		mend       func()
	}{
		{"set back", "was set back: it covers 4 entries, and covered 5", func() { overwrite(tn, checkpointKey, old) }, nil},
		{"another root", "with another root hash", func() { overwrite(tn, checkpointKey, sign(own, archivetest.Origin, size)) }, nil},
		{"ahead", "the ledger has only 5", func() { overwrite(tn, checkpointKey, sign(own, archivetest.Origin, size+1)) }, nil},
		{"another key", "not a checkpoint of this log", func() { overwrite(tn, checkpointKey, sign(stranger, archivetest.Origin, size)) }, nil},
		{"another origin", "not a checkpoint of this log", func() { overwrite(tn, checkpointKey, sign(own, "other.example/log", size)) }, nil},
		{"no checkpoint", "not a checkpoint of this log", func() { overwrite(tn, checkpointKey, []byte("hello\n")) }, nil},
		{"deleted", "is missing, which covered 5 entries", func() {
			if _, err := tn.S3.Client().DeleteObject(t.Context(), &s3.DeleteObjectInput{
				Bucket: aws.String(archivetest.BucketName), Key: aws.String(checkpointKey),
			}); err != nil {
				t.Fatal(err)
			}
		}, nil},
		{"a tile", "tiles do not fit the last checkpoint", func() { overwrite(tn, lastTile, make([]byte, 5*32)) }, nil},
		{
			"an entry of the ledger", "entry 1 of the ledger",
			func() {
				tn.ExecLedger(`ALTER TABLE archive.log_entries DISABLE TRIGGER insert_only`)
				tn.ExecLedger(`CREATE TABLE kept AS SELECT * FROM archive.log_entries`)
				tn.ExecLedger(`UPDATE archive.log_entries SET sha256 = repeat('0', 64) WHERE log_index = 1`)
			},
			func() {
				tn.ExecLedger(`UPDATE archive.log_entries AS e SET sha256 = k.sha256 FROM kept AS k WHERE k.log_index = e.log_index`)
			},
		},
	} {
		good := tn.Objects()
		c.tamper()
		tampered := tn.ObjectsUnder(checkpointKey)[checkpointKey].Body
		tiles := len(tn.ObjectsUnder(archivetest.Prefix + "/log/tile/"))

		p := tn.Process("during-"+strings.ReplaceAll(c.name, " ", "-"), nil)
		report, err := p.Run(t.Context(), t.Context())
		p.Close()
		if !errors.Is(err, worker.ErrLogAlarm) || !strings.Contains(err.Error(), c.says) || !report.Closed {
			t.Errorf("%s: the run ended with %v, closed: %t", c.name, err, report.Closed)
		}
		if now := tn.ObjectsUnder(checkpointKey)[checkpointKey].Body; !bytes.Equal(now, tampered) {
			t.Errorf("%s: a checkpoint was put in its place", c.name)
		}
		if now := len(tn.ObjectsUnder(archivetest.Prefix + "/log/tile/")); now != tiles {
			t.Errorf("%s: %d tiles became %d", c.name, tiles, now)
		}
		if summary := summaryOf(tn, report.Totals.Run.ID); len(summary.Notes) > 0 && !strings.Contains(summary.Notes[0], "not sealed") {
			t.Errorf("%s: the summary says %+v", c.name, summary)
		}
		for _, key := range []string{checkpointKey, lastTile} {
			overwrite(tn, key, good[key].Body)
		}
		if c.mend != nil {
			c.mend()
		}
	}

	// Once all is as it was, what waited is sealed.
	tn.Run("after", nil)
	if n := tn.Count(`SELECT count(*) FROM archive.runs WHERE checkpoint_at IS NULL`); n != 0 {
		t.Errorf("%d runs have no checkpoint", n)
	}
}
