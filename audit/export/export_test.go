package export_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"vlens-archiver/audit"
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

// followVERIFY types every command of VERIFY.txt into a shell, one after the
// other, and expects each to succeed, or at least one to fail.
func followVERIFY(t *testing.T, folder string, right bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "VERIFY.txt"))
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^    \$ (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(commands) < 3 {
		t.Fatalf("VERIFY.txt tells %d commands:\n%s", len(commands), text)
	}
	script := "set -e\n"
	for _, command := range commands {
		script += command[1] + "\n"
	}
	shell := exec.CommandContext(t.Context(), "sh", "-c", script)
	shell.Dir = folder
	output, err := shell.CombinedOutput()
	if (err == nil) != right {
		t.Errorf("following VERIFY.txt: %v, want right %t\n%s\n%s", err, right, script, output)
	}
}

// Whatever is done to an exported folder, verify.py says that it is wrong. Each
// change is made as a forger would, with manifests that fit.
func TestVerifyScriptNoticesChanges(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	for name, forge := range map[string]func(f forgery){
		"nothing":                     func(forgery) {},
		"an image, flipped":           func(f forgery) { f.edit("id_front.*", audittest.Flip) },
		"an image, missing":           func(f forgery) { f.remove("id_front.*") },
		"a record, another time":      func(f forgery) { f.replace("record.0001.json", `"archived_at": "2`, `"archived_at": "3`) },
		"a proof, another index":      func(f forgery) { f.replace("record.0001.tlog-proof", "\nindex ", "\nindex 1") },
		"a proof, another root":       func(f forgery) { f.edit("record.0001.tlog-proof", swapRoot) },
		"a proof, another signature":  func(f forgery) { f.edit("record.0001.tlog-proof", audittest.SwapSignature) },
		"a record and its proof gone": func(f forgery) { f.remove("record.0001.json"); f.remove("record.0001.tlog-proof") },
		"another verifier key":        func(f forgery) { f.replaceIn("data/export.json", `"verifier_key": "acme`, `"verifier_key": "acne`) },
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "evidence")
			if _, err := r.Exporter().Export(t.Context(), audittest.SubjectOf(audittest.ExportedUser), audittest.Reason, export.Folder(folder)); err != nil {
				t.Fatal(err)
			}
			forge(forgery{t, folder})
			rebag(t, folder)
			output, err := exec.CommandContext(t.Context(), "python3", filepath.Join(folder, "verify.py")).CombinedOutput()
			if right := name == "nothing"; (err == nil) != right || strings.Contains(string(output), "RIGHT") != right {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

// forgery changes an exported folder.
type forgery struct {
	t      *testing.T
	folder string
}

func (f forgery) find(pattern string) string {
	f.t.Helper()
	found, err := filepath.Glob(filepath.Join(f.folder, "data/subjects/*/*/*", pattern))
	if err != nil || len(found) == 0 {
		f.t.Fatalf("no %s", pattern)
	}
	return found[0]
}

func (f forgery) edit(pattern string, change func([]byte) []byte) {
	f.editFile(f.find(pattern), change)
}

func (f forgery) editFile(name string, change func([]byte) []byte) {
	f.t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		f.t.Fatal(err)
	}
	changed := change(slices.Clone(content))
	if slices.Equal(changed, content) {
		f.t.Fatalf("%s is as it was", name)
	}
	if err := os.WriteFile(name, changed, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f forgery) replace(pattern, old, with string) {
	f.t.Helper()
	f.edit(pattern, func(b []byte) []byte { return []byte(strings.Replace(string(b), old, with, 1)) })
}

func (f forgery) replaceIn(name, old, with string) {
	f.t.Helper()
	f.editFile(filepath.Join(f.folder, name), func(b []byte) []byte { return []byte(strings.Replace(string(b), old, with, 1)) })
}

func (f forgery) remove(pattern string) {
	f.t.Helper()
	if err := os.Remove(f.find(pattern)); err != nil {
		f.t.Fatal(err)
	}
}

// swapRoot changes the root in the checkpoint inside a proof.
func swapRoot(b []byte) []byte {
	lines := strings.Split(string(b), "\n")
	at := slices.Index(lines, "acme.example/vlens-archive")
	lines[at+2] = "AAAA" + lines[at+2][4:]
	return []byte(strings.Join(lines, "\n"))
}

// rebag makes the manifests fit what is there now.
func rebag(t *testing.T, folder string) {
	t.Helper()
	for _, script := range []string{
		`find data -type f | sort | xargs sha256sum > manifest-sha256.txt`,
		`sha256sum bagit.txt bag-info.txt manifest-sha256.txt VERIFY.txt verify.py > tagmanifest-sha256.txt`,
	} {
		shell := exec.CommandContext(t.Context(), "sh", "-ec", script)
		shell.Dir = folder
		if output, err := shell.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
}

// The rules by which bags are checked here refuse what is no valid bag.
func TestBagRulesRefuseBrokenBags(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	image := "id_front.*"
	for name, breakIt := range map[string]func(f forgery){
		"a payload file changed": func(f forgery) { f.edit(image, audittest.Flip) },
		"a payload file cut":     func(f forgery) { f.edit(image, func(b []byte) []byte { return b[1:] }) },
		"a payload file missing": func(f forgery) { f.remove(image) },
		"a payload file more":    func(f forgery) { f.write("data/more", "x") },
		"a tag file changed":     func(f forgery) { f.replaceIn("VERIFY.txt", "Open a", "Close a") },
		"a tag file more":        func(f forgery) { f.write("notes.txt", "x") },
		"no declaration":         func(f forgery) { f.removeFile("bagit.txt") },
		"another version":        func(f forgery) { f.replaceIn("bagit.txt", "1.0", "0.97") },
		"a byte order mark":      func(f forgery) { f.replaceIn("bagit.txt", "BagIt", "\ufeffBagIt") },
		"no manifest":            func(f forgery) { f.removeFile("manifest-sha256.txt") },
		"no tag manifest":        func(f forgery) { f.removeFile("tagmanifest-sha256.txt") },
		"a manifest line twice": func(f forgery) {
			f.editFile(f.folder+"/manifest-sha256.txt", func(b []byte) []byte { return append(b, b...) })
		},
		"a manifest line less": func(f forgery) {
			f.editFile(f.folder+"/manifest-sha256.txt", func(b []byte) []byte { return b[strings.Index(string(b), "\n")+1:] })
		},
		"a path out of the bag":      func(f forgery) { f.replaceIn("manifest-sha256.txt", "  data/", "  ../data/") },
		"an escape that is none":     func(f forgery) { f.replaceIn("manifest-sha256.txt", "data/export", "data%2Fexport") },
		"another Payload-Oxum":       func(f forgery) { f.replaceIn("bag-info.txt", "Payload-Oxum: ", "Payload-Oxum: 1") },
		"no Payload-Oxum":            func(f forgery) { f.replaceIn("bag-info.txt", "Payload-Oxum", "Oxum") },
		"files to be fetched":        func(f forgery) { f.write("fetch.txt", "http://127.0.0.1/ 1 data/x\n") },
		"a manifest of another hash": func(f forgery) { f.write("manifest-md5.txt", "") },
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "evidence")
			if _, err := r.Exporter().Export(t.Context(), audittest.SubjectOf("u-000001"), audittest.Reason, export.Folder(folder)); err != nil {
				t.Fatal(err)
			}
			if problems := bagProblems(os.DirFS(folder)); len(problems) > 0 {
				t.Fatalf("before: %q", problems)
			}
			breakIt(forgery{t, folder})
			if problems := bagProblems(os.DirFS(folder)); len(problems) == 0 {
				t.Error("it passes")
			}
		})
	}
}

func (f forgery) write(name, content string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.folder, name), []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f forgery) removeFile(name string) {
	f.t.Helper()
	if err := os.Remove(filepath.Join(f.folder, name)); err != nil {
		f.t.Fatal(err)
	}
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

// Damage is found while the bag is written, is named, and leaves no bag.
func TestExportRefusesDamage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage func(r *audittest.Archive, e *export.Exporter) (key string)
		traced bool // the access was stated before the damage was met
	}{
		"an image with other bytes": {func(r *audittest.Archive, e *export.Exporter) string { return serve(r, e, audittest.Flip) }, true},
		"an image that is longer": {func(r *audittest.Archive, e *export.Exporter) string {
			return serve(r, e, func(b []byte) []byte { return append(b, 0) })
		}, true},
		"an image that is cut": {func(r *audittest.Archive, e *export.Exporter) string {
			return serve(r, e, func(b []byte) []byte { return b[:len(b)-1] })
		}, true},
		"an image that is gone": {func(r *audittest.Archive, e *export.Exporter) string {
			key := r.AnImage()
			r.RemoveVersion(key)
			return key
		}, true},
		"a record that is gone": {func(r *audittest.Archive, e *export.Exporter) string {
			key := r.ARecord()
			r.RemoveVersion(key)
			return key
		}, false},
		"a record that was edited": {func(r *audittest.Archive, e *export.Exporter) string {
			key := r.ARecord()
			r.Overwrite(key, func(b []byte) []byte { return []byte(strings.Replace(string(b), "phone", "email", 1)) })
			return key
		}, false},
		"a ledger row of an image": {func(r *audittest.Archive, e *export.Exporter) string {
			key := r.AnImage()
			r.Edit(`UPDATE archive.images SET sha256 = repeat('0', 64) WHERE key = $1`, key)
			return key
		}, false},
		"an entry of the log": {func(r *audittest.Archive, e *export.Exporter) string {
			key := r.ARecord()
			r.Edit(`
				WITH other AS (SELECT log_index FROM archive.log_entries WHERE key <> $1 ORDER BY log_index LIMIT 1), gone AS (
					DELETE FROM archive.log_entries WHERE log_index = (SELECT log_index FROM other))
				UPDATE archive.log_entries SET log_index = (SELECT log_index FROM other) + 1000 WHERE key = $1`, key)
			r.Edit(`UPDATE archive.log_entries SET log_index = log_index - 1000 WHERE key = $1`, key)
			return key
		}, false},
		"a tile": {func(r *audittest.Archive, e *export.Exporter) string {
			key := tile(r)
			r.Overwrite(key, audittest.Flip)
			return "log/tile/"
		}, false},
		"a checkpoint": {func(r *audittest.Archive, e *export.Exporter) string {
			key := r.Layout.Checkpoint()
			r.Overwrite(key, audittest.SwapSignature)
			return key
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := audittest.NewSealed(t)
			e := r.Exporter()
			key := c.damage(r, &e)
			dir := t.TempDir()
			for _, place := range []export.Place{export.ZipFile(filepath.Join(dir, "a.zip")), export.Folder(filepath.Join(dir, "a"))} {
				_, err := e.Export(t.Context(), audittest.SubjectOf(audittest.ExportedUser), audittest.Reason, place)
				if !errors.Is(err, audit.ErrDamaged) || !strings.Contains(err.Error(), key) {
					t.Errorf("%v, want the damage of %s", err, key)
				}
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			if stated := len(audits(r)) > 0; stated != c.traced {
				t.Errorf("the access was stated: %t, want %t", stated, c.traced)
			}
		})
	}
}

// serve lets the bucket give an image with other bytes under the version that was
// recorded, and returns its key.
func serve(r *audittest.Archive, e *export.Exporter, change func([]byte) []byte) string {
	key := r.AnImage()
	e.Bucket = rotten{e.Bucket, key, change}
	return key
}

// rotten is a bucket whose disk has changed one object.
type rotten struct {
	export.Bucket
	key    string
	change func([]byte) []byte
}

func (b rotten) Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error) {
	body, object, err := b.Bucket.Get(ctx, key, versionID)
	if err != nil || key != b.key {
		return body, object, err
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	return io.NopCloser(bytes.NewReader(b.change(content))), object, err
}

// tile is the key of the tile under the last checkpoint, of less than ten entries.
func tile(r *audittest.Archive) string {
	r.T.Helper()
	return slices.Max(slices.Collect(maps.Keys(r.ObjectsUnder(r.Layout.Tiles() + "0/"))))
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

func TestExportPlaces(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	dir := t.TempDir()
	full, file := filepath.Join(dir, "full"), filepath.Join(dir, "a.zip")
	if err := errors.Join(os.Mkdir(full, 0o700), os.WriteFile(filepath.Join(full, "x"), nil, 0o600), os.WriteFile(file, []byte("mine"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, place := range []export.Place{export.Folder(full), export.Folder(file), export.ZipFile(file), export.ZipFile(full), export.ZipFile(filepath.Join(dir, "none", "a.zip"))} {
		if _, err := r.Exporter().Export(t.Context(), audittest.SubjectOf(audittest.ExportedUser), audittest.Reason, place); !errors.Is(err, export.ErrPlace) {
			t.Errorf("%v: %v", place, err)
		}
	}
	if content, _ := os.ReadFile(file); string(content) != "mine" {
		t.Errorf("the file has become %q", content)
	}
	if _, err := r.Exporter().Export(t.Context(), audittest.SubjectOf("nobody"), audittest.Reason, export.Folder(filepath.Join(dir, "b"))); !errors.Is(err, export.ErrNothing) {
		t.Errorf("nobody: %v", err)
	}
	if n := len(audits(r)); n != 0 {
		t.Errorf("%d exports are stated, and there was none", n)
	}

	// Stopped in the middle, it leaves nothing.
	ctx, cancel := context.WithCancel(t.Context())
	e := r.Exporter()
	e.Bucket = stopAfter{e.Bucket, cancel}
	if _, err := e.Export(ctx, audittest.SubjectOf(audittest.ExportedUser), audittest.Reason, export.ZipFile(filepath.Join(dir, "c.zip"))); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*c.zip*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".partial-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// stopAfter stops the export when its trace is written.
type stopAfter struct {
	export.Bucket
	stop func()
}

func (s stopAfter) Put(ctx context.Context, request store.PutRequest) (store.Object, bool, error) {
	object, created, err := s.Bucket.Put(ctx, request)
	s.stop()
	return object, created, err
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
