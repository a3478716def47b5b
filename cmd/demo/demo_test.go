package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

const people = 12

// TestDemo runs the demo and looks at its folder, then damages the folder in
// several ways, each of which the demo's own check must find.
func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "archive")
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"--users", "12", "--dir", dir}, &stdout, &stderr); code != exitDone {
		t.Fatalf("exit %d\n%s%s", code, &stdout, &stderr)
	}
	for _, said := range []string{"12 users", "not_found  2", "Second run: 0 image requests, 0 requests", "54 images and 9 records", "signed log of\n11 entries"} {
		if !strings.Contains(stdout.String(), said) {
			t.Errorf("it does not say %q:\n%s", said, &stdout)
		}
	}
	for _, name := range []string{
		readmeFile, configFile, usersFile, logFile, manifestFile,
		"ledger/users.csv", "ledger/runs.csv", "bucket/archive.json",
		"bucket/runs/*/*/*/demo-first/summary.json", "bucket/runs/*/*/*/demo-second/SHA256SUMS",
		"bucket/runs/*/*/*/demo-first/report.html", "bucket/runs/*/*/*/demo-first/checkpoint", "bucket/log/checkpoint",
		"images/*/*/id_front.jpg", "bucket/subjects/*/*/*/record.0001.json",
	} {
		if found, err := filepath.Glob(filepath.Join(dir, name)); err != nil || len(found) == 0 {
			t.Errorf("%s is missing (%v)", name, err)
		}
	}

	sums := only(t, dir, "bucket/runs/*/*/*/demo-first/SHA256SUMS")
	command := exec.Command("sha256sum", "--check", "--quiet", sums)
	command.Dir = filepath.Join(dir, bucketDir)
	if said, err := command.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v\n%s", err, said)
	}

	readme, err := os.ReadFile(filepath.Join(dir, readmeFile))
	if err != nil {
		t.Fatal(err)
	}
	if relative, err := filepath.Rel(filepath.Join(dir, bucketDir), sums); err != nil || !strings.Contains(string(readme), "sha256sum -c "+relative+"\n") {
		t.Errorf("the README does not name %s (%v)", relative, err)
	}
	t.Run("damage", func(t *testing.T) { findDamage(t, dir) })
}

func findDamage(t *testing.T, dir string) {
	tenant, err := startTenant(t.Context(), people)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tenant.stop(); err != nil {
			t.Error(err)
		}
	})
	if problem := checked(t, dir, tenant); problem != nil {
		t.Fatalf("before any damage: %v", problem)
	}
	for _, damage := range []struct{ name, file, says string }{
		{"other bytes in an image", "images/*/*/face_2.jpg", "face_2 has other bytes"},
		{"other bytes in a record", "bucket/subjects/*/*/*/record.0001.json", "the record is not the one of the manifest"},
		{"other bytes in a run file", "bucket/runs/*/*/*/demo-second/summary.json", "is not what SHA256SUMS says"},
	} {
		t.Run(damage.name, func(t *testing.T) {
			file := first(t, dir, damage.file)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			write(t, file, append(before, '\n'))
			expectProblem(t, checked(t, dir, tenant), damage.says)
			write(t, file, before)
		})
	}
	for _, damage := range []struct{ name, file, says string }{
		{"an image is missing", "images/*/*/id_back.jpg", "id_back is missing"},
		{"a record is missing", "bucket/subjects/*/*/*/record.0001.json", "no such file"},
	} {
		t.Run(damage.name, func(t *testing.T) {
			file := first(t, dir, damage.file)
			if err := os.Rename(file, filepath.Join(dir, "away")); err != nil {
				t.Fatal(err)
			}
			expectProblem(t, checked(t, dir, tenant), damage.says)
			if err := os.Rename(filepath.Join(dir, "away"), file); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, damage := range []struct{ name, folder, says string }{
		{"an image too many", "images/*/*", "there is an image of no kind"},
		{"an object too many", "bucket/subjects/*/*/*", "is in no SHA256SUMS"},
	} {
		t.Run(damage.name, func(t *testing.T) {
			file := filepath.Join(first(t, dir, damage.folder), "other.jpg")
			write(t, file, []byte("other"))
			expectProblem(t, checked(t, dir, tenant), damage.says)
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// checked is what the demo's check finds.
func checked(t *testing.T, dir string, tenant *tenant) error {
	t.Helper()
	folder, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Close() }()
	lines, err := readManifest(folder)
	if err != nil {
		t.Fatal(err)
	}
	key, err := store.ParseSubjectKey(subjectKey)
	if err != nil {
		t.Fatal(err)
	}
	layout := manifest.Layout{Prefix: prefix}
	var runs []string
	for _, run := range []string{"demo-first", "demo-second"} {
		relative, err := filepath.Rel(filepath.Join(dir, bucketDir), only(t, dir, "bucket/runs/*/*/*/"+run))
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, prefix+"/"+filepath.ToSlash(relative))
	}
	c := check{folder: folder, tenant: tenant, key: key, layout: layout, lines: lines}
	return c.all(t.Context(), runs...)
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"unknown flag":     {"--colour"},
		"no people":        {"--users", "0"},
		"too many people":  {"--users", "10001"},
		"people no number": {"--users", "many"},
		"an argument":      {"folder"},
		"no folder":        {"--dir", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), args, &stdout, &stderr); code != exitInvalid {
				t.Errorf("exit %d", code)
			}
			if !strings.Contains(stderr.String(), "see: demo --help") || stdout.Len() > 0 {
				t.Errorf("it says\n%s%s", &stdout, &stderr)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, &stdout, &stderr); code != exitDone || stderr.Len() > 0 {
		t.Errorf("exit %d\n%s", code, &stderr)
	}
	if !strings.Contains(stdout.String(), "go run ./cmd/demo") {
		t.Errorf("no example:\n%s", &stdout)
	}
}

func TestForeignFolderIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mine := filepath.Join(dir, readmeFile)
	write(t, mine, []byte("mine"))
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"--dir", dir}, &stdout, &stderr); code != exitInvalid {
		t.Errorf("exit %d", code)
	}
	if !strings.Contains(stderr.String(), "is not empty, and no demo made it; choose another with --dir") {
		t.Errorf("it says %s", &stderr)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
	if content, err := os.ReadFile(mine); err != nil || string(content) != "mine" {
		t.Errorf("the file is %q, %v", content, err)
	}
}

func TestFolderIsUsedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func() {
		t.Helper()
		folder, err := openFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := folder.Close(); err != nil {
			t.Fatal(err)
		}
	}
	open()
	write(t, filepath.Join(dir, readmeFile), []byte("of the demo"))
	write(t, filepath.Join(dir, "notes"), []byte("of a person"))
	open()
	if _, err := os.Stat(filepath.Join(dir, readmeFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what an earlier demo left is there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "notes")); err != nil {
		t.Error(err)
	}
}

func expectProblem(t *testing.T, problem error, says string) {
	t.Helper()
	if problem == nil || !strings.Contains(problem.Error(), says) {
		t.Errorf("the check says %v, not %q", problem, says)
	}
}

func first(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s is missing (%v)", pattern, err)
	}
	return found[0]
}

func only(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s is there %d times (%v)", pattern, len(found), err)
	}
	return found[0]
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
