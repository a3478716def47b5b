package deploy_test

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// stamp is what the binaries of these tests say of themselves.
var stamp = []string{"VERSION=9.8.7", "COMMIT=0123456789abcdef"}

// makeBinary copies the sources to a folder of that name and runs `make build`
// there, as somebody with another home would.
func makeBinary(t *testing.T, folder string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), folder)
	if err := copySources(dir); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "make", append([]string{"-C", dir, "build"}, stamp...)...)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, output)
	}
	return filepath.Join(dir, "bin", "vlens-archiver")
}

// copySources copies what a build reads: neither tests nor hidden folders, so
// that there is no repository to ask for a version either.
func copySources(to string) error {
	return filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		hidden := strings.HasPrefix(name, ".") && path != ".."
		if entry.IsDir() && (hidden || name == "testdata" || name == "bin") {
			return filepath.SkipDir
		}
		if hidden || !entry.Type().IsRegular() || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		relative, err := filepath.Rel("..", path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
}

func TestBinary(t *testing.T) {
	t.Parallel()
	file := makeBinary(t, "one")
	program, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("is the same wherever it is built", func(t *testing.T) {
		other, err := os.ReadFile(makeBinary(t, "a longer name/of another folder"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(program, other) {
			t.Errorf("two builds differ: %d and %d bytes", len(program), len(other))
		}
		if home, err := filepath.Abs(".."); err != nil || bytes.Contains(program, []byte(home)) {
			t.Errorf("the binary tells where it was built: %v", err)
		}
	})

	t.Run("is static", func(t *testing.T) {
		binary, err := elf.NewFile(bytes.NewReader(program))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range binary.Progs {
			if part.Type == elf.PT_INTERP || part.Type == elf.PT_DYNAMIC {
				t.Errorf("it needs a loader: %s", part.Type)
			}
		}
		if libraries, err := binary.ImportedLibraries(); len(libraries) > 0 {
			t.Errorf("it needs %q (%v)", libraries, err)
		}
	})

	t.Run("runs as the image does", func(t *testing.T) { testImageRuns(t, file) })

	t.Run("says what it is", func(t *testing.T) {
		output, err := exec.CommandContext(t.Context(), file, "version").Output()
		if want := "vlens-archiver 9.8.7 (commit 0123456789abcdef, go"; err != nil || !strings.HasPrefix(string(output), want) {
			t.Errorf("%q, %v: want %q", output, err, want)
		}
	})
}
