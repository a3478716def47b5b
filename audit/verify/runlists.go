package verify

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"path"
	"strings"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// expected are the objects that the run's lists must name, in order: those that
// the ledger gives to the run, then files of the run.
func (r *runInspection) expected(ctx context.Context, files ...string) iter.Seq2[store.RunObject, error] {
	return func(yield func(store.RunObject, error) bool) {
		for object, err := range r.Ledger.AuditRunObjects(ctx, r.run.ID) {
			if !yield(object, err) || err != nil {
				return
			}
		}
		for _, name := range files {
			if !yield(store.RunObject{Key: r.folder + name, VersionID: r.versions[name].VersionID, SHA256: r.hashes[name]}, nil) {
				return
			}
		}
	}
}

// objects compares objects.csv with the objects of the run.
func (r *runInspection) objects(ctx context.Context, in io.Reader) (problem, err error) {
	table := csv.NewReader(in)
	table.FieldsPerRecord = -1
	table.ReuseRecord = true
	for object, err := range r.expected(ctx, manifest.RunManifest, manifest.RunSummary) {
		if err != nil {
			return nil, err
		}
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("it lacks %q", object.Key), nil
		}
		if err != nil {
			return fmt.Errorf("it is no table: %w", err), nil
		}
		key, version := "", ""
		if len(row) > 1 {
			key, err = url.PathUnescape(row[1])
		}
		if len(row) > 2 {
			version = row[2]
		}
		switch {
		case err != nil, len(row) < 2, row[0] != r.Bucket.Location().Bucket:
			return fmt.Errorf("a row is not of this bucket where %q is due", object.Key), nil
		case key != object.Key:
			return fmt.Errorf("it has %q where %q is due", key, object.Key), nil
		case version != object.VersionID && !r.isFile(object.Key):
			r.differ(manifest.RunObjects, "it has version %s of %q, the ledger has %s", named(version), key, named(object.VersionID))
		case version != object.VersionID && version != "" && object.VersionID != "":
			// SHA256SUMS says whether its bytes are the same.
			r.differences = append(r.differences, Finding{Restored, object.Key, fmt.Sprintf("version %s was recorded and is gone; version %s stands there", version, object.VersionID)})
		case version != object.VersionID:
			return fmt.Errorf("it has version %s of %q, version %s stands there", named(version), key, named(object.VersionID)), nil
		}
	}
	if _, err := table.Read(); !errors.Is(err, io.EOF) {
		return errors.New("it has more rows than the run has objects"), nil
	}
	return nil, nil
}

// isFile reports whether the key is a file of the run.
func (r *runInspection) isFile(key string) bool { return path.Dir(key)+"/" == r.folder }

// sums compares SHA256SUMS with the objects of the run, and then with its entry
// in the log.
func (r *runInspection) sums(ctx context.Context, in io.Reader) (problem, err error) {
	stated := lines(in)
	for object, err := range r.expected(ctx, manifest.RunManifest, manifest.RunSummary, manifest.RunObjects) {
		if err != nil {
			return nil, err
		}
		if !stated.Scan() {
			return fmt.Errorf("it lacks %q", object.Key), nil
		}
		hash, name, _ := strings.Cut(stated.Text(), "  ")
		switch relative := r.Layout.Relative(object.Key); {
		case name != relative:
			return fmt.Errorf("it has %q where %q is due", name, relative), nil
		case hash == object.SHA256, object.SHA256 == "": // without a hash the file is missing, which is a finding already
		case r.isFile(object.Key):
			r.found.add(Finding{Changed, object.Key, fmt.Sprintf("its SHA-256 is %s, SHA256SUMS has %s", object.SHA256, hash)})
		default:
			r.differ(manifest.RunSums, "it has SHA-256 %s of %q, the ledger has %s", hash, object.Key, object.SHA256)
		}
	}
	if stated.Scan() {
		return fmt.Errorf("it has %q, which the ledger does not give to the run", stated.Text()), nil
	}
	if err := stated.Err(); err != nil {
		return fmt.Errorf("it is not in the form of sha256sum: %w", err), nil
	}
	return nil, nil
}
