package worker_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vlens-archiver/internal/archivetest"
	"vlens-archiver/vlens/vlenstest"
)

// The whole job on 300 users with six images each; then the bucket is read again
// by other code and every byte, checksum, key, record and ledger row compared.
func TestArchiveEveryByte(t *testing.T) {
	t.Parallel()
	const users = 300
	tn := archivetest.NewTenant(t, vlenstest.Options{People: users, Seed: 1, ImageBytes: 20 << 10})
	tn.Seals = true
	began := time.Now().Truncate(time.Second)
	report := tn.Run("first", nil)
	if !report.Closed || report.WorkLeft || report.AlreadyComplete {
		t.Errorf("report is %+v", report)
	}

	if got := tn.Sim.Requests(vlenstest.List); got != users {
		t.Errorf("%d listings, want one for each of %d users", got, users)
	}
	if got := tn.Sim.Requests(vlenstest.Image); got != users*vlenstest.KindCount {
		t.Errorf("%d image requests, want %d", got, users*vlenstest.KindCount)
	}
	if got := tn.Sim.Requests(vlenstest.Login); got != 1 {
		t.Errorf("%d logins", got)
	}

	objects := tn.Objects()
	left := maps.Clone(objects)
	take := func(key string) archivetest.Object {
		t.Helper()
		o, there := left[key]
		if !there {
			t.Errorf("%q is missing", key)
		}
		delete(left, key)
		return o
	}
	take(archivetest.Prefix + "/archive.json")

	ledgerRecords := archivetest.Index(archivetest.Query[string](tn, `SELECT concat_ws(' ', key, sha256, sequence, run_id) FROM archive.records`))
	ledgerImages := archivetest.Index(archivetest.Query[string](tn, `
		SELECT concat_ws(' ', key, subject, kind, transaction_id, state, version_id, bytes, media_type, sha256, ref, run_id)
		FROM archive.images`))

	sums := make(map[string]string) // what SHA256SUMS must say of images and records
	for user := range tn.Sim.Users() {
		person, _ := tn.Sim.Person(user.ID)
		want, _ := tn.Sim.Expected(user.ID)
		subject := archivetest.SubjectOf(user.ID)
		folder := fmt.Sprintf("%s/subjects/%s/%s/%s/", archivetest.Prefix, subject[:2], subject, person.TransactionID)

		body := take(folder + "record.0001.json").Body
		var record struct {
			Schema, Subject string
			TransactionID   string `json:"transaction_id"`
			Sequence        int
			RunID           string `json:"run_id"`
			Nonce           []byte
			ArchivedAt      time.Time `json:"archived_at"`
			Images          []struct {
				Kind, State, Ref, Key, SHA256 string
				MediaType                     string `json:"media_type"`
				VersionID                     string `json:"version_id"`
				Bytes, Width, Height          int
				FetchedAt                     time.Time `json:"fetched_at"`
				Flags                         []string
			}
		}
		if err := json.Unmarshal(body, &record); err != nil {
			t.Fatalf("record of %s: %v", user.ID, err)
		}
		if record.Schema != "vlens-archive/record/v1" || record.Subject != subject || record.TransactionID != person.TransactionID ||
			record.Sequence != 1 || record.RunID != "first" || len(record.Nonce) != 32 ||
			record.ArchivedAt.Before(began) || len(record.Images) != vlenstest.KindCount {
			t.Errorf("record of %s: %+v", user.ID, record)
		}
		sums[strings.TrimPrefix(folder, archivetest.Prefix+"/")+"record.0001.json"] = archivetest.HashOf(body)
		if got, want := ledgerRecords[folder+"record.0001.json"], archivetest.HashOf(body)+" 1 first"; got != want {
			t.Errorf("ledger has record %q, want %q", got, want)
		}
		delete(ledgerRecords, folder+"record.0001.json")

		for n, kind := range vlenstest.Kinds {
			stated := record.Images[n]
			sum := want.Images[kind]
			key := fmt.Sprintf("%s%s.%s.jpg", folder, kind, sum.SHA256[:16])
			image := take(key)
			if archivetest.HashOf(image.Body) != sum.SHA256 || len(image.Body) != sum.Bytes {
				t.Errorf("%q holds other bytes than the vendor sent", key)
			}
			if image.MIME != "image/jpeg" || image.Metadata["sha256"] != sum.SHA256 || image.Metadata["ref"] != archivetest.RefOf(person.FileName(kind)) {
				t.Errorf("%q says of itself %s %v", key, image.MIME, image.Metadata)
			}
			if stated.Kind != string(kind) || stated.State != "stored" || stated.Key != key || stated.SHA256 != sum.SHA256 ||
				stated.Bytes != sum.Bytes || stated.MediaType != "image/jpeg" || stated.Ref != archivetest.RefOf(person.FileName(kind)) ||
				stated.VersionID == "" || stated.Width == 0 || stated.Height == 0 || stated.FetchedAt.Before(began) || len(stated.Flags) != 0 {
				t.Errorf("record of %s states %+v", user.ID, stated)
			}
			sums[strings.TrimPrefix(key, archivetest.Prefix+"/")] = sum.SHA256
			wantRow := fmt.Sprintf("%s %s %s stored %s %d image/jpeg %s %s first",
				subject, kind, person.TransactionID, stated.VersionID, sum.Bytes, sum.SHA256, stated.Ref)
			if ledgerImages[key] != wantRow {
				t.Errorf("ledger has image %q, want %q", ledgerImages[key], wantRow)
			}
			delete(ledgerImages, key)
		}
	}
	if len(ledgerRecords) > 0 || len(ledgerImages) > 0 {
		t.Errorf("ledger also has %v and %v", ledgerRecords, ledgerImages)
	}

	checkRunFiles(tn, "first", users, sums, take)
	take(runFolder(tn, "first") + "checkpoint")
	maps.DeleteFunc(left, func(key string, _ archivetest.Object) bool { return strings.HasPrefix(key, archivetest.Prefix+"/log/") })
	for key := range left {
		t.Errorf("%q was not expected", key)
	}
	tn.CheckLog()

	for sql, want := range map[string]int64{
		`SELECT count(*) FROM archive.subjects WHERE state = 'archived' AND lease_process IS NULL AND next_due_at > now() + interval '70 days'`: users,
		`SELECT count(*) FROM archive.outcomes WHERE outcome = 'archived' AND requests >= 7`:                                                    users,
		`SELECT sum(requests)::bigint FROM archive.outcomes`:                                                                                    users*7 + 1,
		`SELECT count(*) FROM archive.runs WHERE run_id = 'first' AND status = 'closed' AND ended_at >= started_at`:                             1,
		`SELECT count(*) FROM archive.processes WHERE ended_at IS NOT NULL`:                                                                     1,
	} {
		if got := tn.Count(sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}

	t.Run("a second run has nothing to do", func(t *testing.T) {
		before := tn.Sim.Requests()
		tn.Run("second", nil)
		if spent := tn.Sim.Requests() - before; spent != 0 {
			t.Errorf("it spent %d requests", spent)
		}
	})
	t.Run("a recheck without news costs one request a user", func(t *testing.T) {
		tn.ExecLedger(`UPDATE archive.subjects SET next_due_at = now()`)
		lists, images := tn.Sim.Requests(vlenstest.List), tn.Sim.Requests(vlenstest.Image)
		tn.Run("recheck", nil)
		if spent := tn.Sim.Requests(vlenstest.List) - lists; spent != users {
			t.Errorf("%d listings, want %d", spent, users)
		}
		if spent := tn.Sim.Requests(vlenstest.Image) - images; spent != 0 {
			t.Errorf("%d image requests", spent)
		}
		if got := tn.Count(`SELECT count(*) FROM archive.outcomes WHERE run_id = 'recheck' AND outcome = 'unchanged' AND record_key <> ''`); got != users {
			t.Errorf("%d users unchanged, want %d", got, users)
		}
	})
}

// runFolder is the prefix of the files of a run.
func runFolder(tn *archivetest.Tenant, runID string) string {
	tn.T.Helper()
	started := archivetest.Query[time.Time](tn, `SELECT started_at FROM archive.runs WHERE run_id = $1`, runID)[0]
	return fmt.Sprintf("%s/runs/%s/%s/", archivetest.Prefix, started.UTC().Format("2006/01/02"), runID)
}

// checkRunFiles compares the files of a run in which every user was archived.
func checkRunFiles(tn *archivetest.Tenant, runID string, users int, sums map[string]string, take func(string) archivetest.Object) {
	t := tn.T
	t.Helper()
	folder := strings.TrimPrefix(runFolder(tn, runID), archivetest.Prefix+"/")

	zipped := take(archivetest.Prefix + "/" + folder + "manifest.jsonl.gz").Body
	sums[folder+"manifest.jsonl.gz"] = archivetest.HashOf(zipped)
	plain, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	subjects := make(map[string]bool)
	for lines := bufio.NewScanner(plain); lines.Scan(); {
		var line struct {
			Subject, Outcome string
			Class            *string
			RecordKey        string `json:"record_key"`
			RecordSHA256     string `json:"record_sha256"`
			Images           []struct{ Kind, State, Key, SHA256 string }
			Requests         int
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		subjects[line.Subject] = true
		if line.Outcome != "archived" || line.Class != nil || len(line.Images) != vlenstest.KindCount ||
			sums[strings.TrimPrefix(line.RecordKey, archivetest.Prefix+"/")] != line.RecordSHA256 || line.Requests < 7 {
			t.Errorf("manifest says %+v", line)
		}
		for _, image := range line.Images {
			if image.State != "stored" || sums[strings.TrimPrefix(image.Key, archivetest.Prefix+"/")] != image.SHA256 {
				t.Errorf("manifest says %+v", image)
			}
		}
	}
	if len(subjects) != users {
		t.Errorf("manifest has %d subjects, want %d", len(subjects), users)
	}

	summaryBody := take(archivetest.Prefix + "/" + folder + "summary.json").Body
	sums[folder+"summary.json"] = archivetest.HashOf(summaryBody)
	var summary struct {
		RunID    string `json:"run_id"`
		Status   string
		Users    map[string]int
		Outcomes map[string]int
		Failures map[string]int
		Images   int
		Bytes    int
		Requests map[string]int
	}
	if err := json.Unmarshal(summaryBody, &summary); err != nil {
		t.Fatal(err)
	}
	images := users * vlenstest.KindCount
	if summary.RunID != runID || summary.Status != "closed" || summary.Images != images || summary.Bytes != images*(20<<10) || len(summary.Failures) != 0 {
		t.Errorf("summary is %s", summaryBody)
	}
	wantUsers := map[string]int{"archived": users, "total": users, "left": 0, "unlisted": 0, "pending": 0, "partial": 0, "failed": 0, "no_images": 0, "not_found": 0}
	if diff := cmp.Diff(wantUsers, summary.Users); diff != "" {
		t.Errorf("users in the summary (want, got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"login": 1, "list": users, "image": images}, summary.Requests); diff != "" {
		t.Errorf("requests in the summary (want, got):\n%s", diff)
	}

	objects := take(archivetest.Prefix + "/" + folder + "objects.csv").Body
	sums[folder+"objects.csv"] = archivetest.HashOf(objects)
	if lines := bytes.Count(objects, []byte("\n")); lines != images+users+2 {
		t.Errorf("objects.csv has %d lines, want every image, record, manifest and summary: %d", lines, images+users+2)
	}

	got := make(map[string]string)
	for line := range strings.Lines(string(take(archivetest.Prefix + "/" + folder + "SHA256SUMS").Body)) {
		hash, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		got[path] = hash
	}
	if diff := cmp.Diff(sums, got); diff != "" {
		t.Errorf("SHA256SUMS (want, got):\n%s", diff)
	}
}
