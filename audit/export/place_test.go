package export_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/export"
	"vlens-archiver/store"
)

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
