package export_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

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
