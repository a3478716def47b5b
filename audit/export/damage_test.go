package export_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vlens-archiver/audit"
	"vlens-archiver/audit/audittest"
	"vlens-archiver/audit/export"
	"vlens-archiver/store"
)

// Damage is found while the bag is written, is named, and leaves no bag.
func TestExportRefusesDamage(t *testing.T) {
	t.Parallel()
	r := audittest.NewSealed(t)
	was := r.Save()
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
			defer was.Restore()
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
