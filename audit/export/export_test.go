package export_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/export"
	"vlens-archiver/internal/archivetest"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens/vlenstest"
)

// The exported bag is valid by rules that are not the writer's, holds the very
// bytes of the archive, and the commands that it tells succeed.
func TestExportToBagAndFolder(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	dir := t.TempDir()
	zip, folder := filepath.Join(dir, "evidence.zip"), filepath.Join(dir, "evidence")
	for _, place := range []export.Place{export.ZipFile(zip), export.Folder(folder)} {
		x, err := r.Exporter().Export(t.Context(), audittest.SubjectOf(audittest.ExportedUser), audittest.Reason, place)
		if err != nil {
			t.Fatal(err)
		}
		if len(x.Images) != 10 || len(x.Records) != 2 || x.Sealed() != 2 || x.Log == nil || x.Log.Size != 8 {
			t.Errorf("export: %+v", x)
		}
	}

	bag, done, err := unzipped(zip)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if problems := bagProblems(bag); len(problems) > 0 {
		t.Errorf("zip: %q", problems)
	}
	if problems := bagProblems(os.DirFS(folder)); len(problems) > 0 {
		t.Errorf("folder: %q", problems)
	}

	// What is in data/subjects/ is what the bucket has of the subject.
	want := make(map[string]string)
	for key, object := range r.ObjectsUnder(r.Layout.Subject(audittest.SubjectOf(audittest.ExportedUser))) {
		want["data/"+strings.TrimPrefix(key, archivetest.Prefix+"/")] = string(object.Body)
	}
	got := make(map[string]string)
	for name, content := range contents(t, bag) {
		if strings.HasPrefix(name, "data/subjects/") && !strings.HasSuffix(name, ".tlog-proof") {
			got[name] = content
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the bag has %q, the bucket %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}

	// Files are for their owner only.
	if err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		info, _ := entry.Info()
		if path != dir && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	checkTrace(r, 2)
	followVERIFY(t, folder, true)
}

// checkTrace looks for n exports in bucket and ledger.
func checkTrace(r *audittest.Archive, n int) {
	r.T.Helper()
	rows := archivetest.Query[string](r.Tenant, `SELECT actor || ' ' || subject || ' ' || reason || ' ' || objects || ' ' || audit_key FROM archive.access_log ORDER BY access_id`)
	statements := r.ObjectsUnder(r.Layout.Audits())
	if len(rows) != n || len(statements) != n {
		r.T.Fatalf("%d rows and %d statements, want %d", len(rows), len(statements), n)
	}
	for _, row := range rows {
		key := row[strings.LastIndex(row, " ")+1:]
		s, err := manifest.DecodeStatement(statements[key].Body)
		if err != nil || s.Export == nil {
			r.T.Fatalf("%s: %v", key, err)
		}
		if want := fmt.Sprintf("%s %s %s %d %s", s.Actor, s.Export.Subject, s.Export.Reason, s.Export.Objects, key); row != want || s.Export.Objects == 0 {
			r.T.Errorf("ledger has %q, the bucket %q", row, want)
		}
	}
}

func contents(t *testing.T, files fs.FS) map[string]string {
	t.Helper()
	found := make(map[string]string)
	if err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		found[name] = string(content)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

// An archive without a log is exported too, and says what it cannot prove.
func TestExportWithoutALog(t *testing.T) {
	t.Parallel()
	r := audittest.New(t, vlenstest.Options{People: 2, ImageBytes: 4 << 10})
	r.RunUnsealed("first")
	folder := filepath.Join(t.TempDir(), "evidence")
	if err := os.Mkdir(folder, 0o700); err != nil { // an empty one will do
		t.Fatal(err)
	}
	x, err := r.Exporter().Export(t.Context(), audittest.SubjectOf("u-000001"), audittest.Reason, export.Folder(folder))
	if err != nil || x.Log != nil || x.Sealed() != 0 || x.Records[0].Proof != nil {
		t.Fatalf("%+v, %v", x, err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "VERIFY.txt"))
	if err != nil || strings.Count(string(text), "NOT IN THE LOG YET") < 2 {
		t.Errorf("VERIFY.txt: %v\n%s", err, text)
	}
	if problems := bagProblems(os.DirFS(folder)); len(problems) > 0 {
		t.Errorf("%q", problems)
	}
	followVERIFY(t, folder, true)
	if err := os.WriteFile(filepath.Join(folder, x.Images[0].Path), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	followVERIFY(t, folder, false)
}

// audits are the keys of the statements in the bucket.
func audits(r *audittest.Archive) []string {
	var found []string
	for key := range r.ObjectsUnder(r.Layout.Audits()) {
		found = append(found, strings.TrimPrefix(key, r.Layout.Audits()))
	}
	return found
}

// What was put over the evidence later does not come into an export: it is read
// by the version that was recorded.
func TestExportReadsTheRecordedVersion(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	for _, key := range []string{r.AnImage(), r.ARecord()} {
		if _, err := r.S3.Client().PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: aws.String(archivetest.BucketName), Key: &key, Body: strings.NewReader("something else"),
		}); err != nil {
			t.Fatal(err)
		}
	}
	folder := filepath.Join(t.TempDir(), "a")
	if _, err := r.Exporter().Export(t.Context(), audittest.SubjectOf(audittest.ExportedUser), audittest.Reason, export.Folder(folder)); err != nil {
		t.Fatal(err)
	}
	followVERIFY(t, folder, true)
}

// Without a trace there is no export.
func TestExportNeedsItsTrace(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	dir := t.TempDir()
	e := r.Exporter()
	e.Bucket = noWrites{e.Bucket}
	if _, err := e.Export(t.Context(), audittest.SubjectOf(audittest.ExportedUser), audittest.Reason, export.ZipFile(filepath.Join(dir, "a.zip"))); !errors.Is(err, store.ErrDenied) {
		t.Errorf("without a statement in the bucket: %v", err)
	}
	r.ExecLedger(`ALTER TABLE archive.access_log ADD CHECK (actor = 'nobody')`)
	if _, err := r.Exporter().Export(t.Context(), audittest.SubjectOf(audittest.ExportedUser), audittest.Reason, export.Folder(filepath.Join(dir, "a"))); err == nil {
		t.Error("without a row in the access log it is exported")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// noWrites is a bucket that its reader may not write to.
type noWrites struct{ export.Bucket }

func (noWrites) Put(context.Context, store.PutRequest) (store.Object, bool, error) {
	return store.Object{}, false, store.ErrDenied
}

// A record that the ledger does not know is not lost on the way to a court.
func TestExportTakesRecordsThatTheLedgerLacks(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	key := r.ARecord()
	r.Edit(`DELETE FROM archive.log_entries WHERE key = $1`, key)
	r.Edit(`DELETE FROM archive.records WHERE key = $1`, key)
	x, err := r.Exporter().Export(t.Context(), audittest.SubjectOf(audittest.ExportedUser), audittest.Reason, export.Folder(filepath.Join(t.TempDir(), "a")))
	if err != nil || len(x.Records) != 2 || len(x.Images) != 10 {
		t.Fatalf("%+v, %v", x, err)
	}
	unknown := slices.DeleteFunc(slices.Clone(x.Records), func(r export.Record) bool { return r.InLedger })
	if len(unknown) != 1 || !strings.HasSuffix(key, strings.TrimPrefix(unknown[0].Path, "data/")) || unknown[0].Proof != nil {
		t.Errorf("unknown to the ledger: %+v", unknown)
	}
}

// export.json says what the bag holds, in JSON that others can read.
func TestExportIndex(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	folder := filepath.Join(t.TempDir(), "a")
	x, err := r.Exporter().Export(t.Context(), audittest.SubjectOf(audittest.ExportedUser), audittest.Reason, export.Folder(folder))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(folder, "data/export.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index export.Index
	if err := json.Unmarshal(content, &index); err != nil || index.ID != x.ID || index.Schema != export.Schema {
		t.Errorf("%+v, %v", index, err)
	}
	for _, image := range index.Images {
		body, err := os.ReadFile(filepath.Join(folder, image.Path))
		if err != nil || archivetest.HashOf(body) != image.SHA256 || int64(len(body)) != image.Bytes {
			t.Errorf("%s: %v", image.Path, err)
		}
	}
}
