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

	"vlens-archiver/audit"
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

func keyOf(object store.RunObject) string { return object.Key }

// listedObject is a line of objects.csv.
type listedObject struct{ key, versionID string }

// listedObjects reads objects.csv, as a stream.
func (r *runInspection) listedObjects(in io.Reader) iter.Seq2[listedObject, error] {
	return func(yield func(listedObject, error) bool) {
		table := csv.NewReader(in)
		table.FieldsPerRecord = -1
		for {
			row, err := table.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var object listedObject
			switch {
			case err != nil:
				err = fmt.Errorf("it is no table: %w", err)
			case len(row) < 2 || row[0] != r.Bucket.Location().Bucket:
				err = errors.New("it has a row that is not of this bucket")
			default:
				object.key, err = url.PathUnescape(row[1])
				if len(row) > 2 {
					object.versionID = row[2]
				}
			}
			if !yield(object, err) || err != nil {
				return
			}
		}
	}
}

// objects compares objects.csv with the objects of the run.
func (r *runInspection) objects(ctx context.Context, in io.Reader) (problem, err error) {
	return lineByLine(
		r.expected(ctx, manifest.RunManifest, manifest.RunSummary), keyOf,
		r.listedObjects(in), func(listed listedObject) string { return listed.key },
		func(object store.RunObject, listed listedObject) error {
			version := listed.versionID
			switch {
			case store.SameVersion(version, object.VersionID):
			case !r.isFile(object.Key):
				r.differ(manifest.RunObjects, "it has version %s of %q, the ledger has %s", named(version), object.Key, named(object.VersionID))
			case version != "" && object.VersionID != "":
				// SHA256SUMS says whether its bytes are the same.
				r.differences = append(r.differences, Finding{Restored, object.Key, fmt.Sprintf("version %s was recorded and is gone; version %s stands there", version, object.VersionID)})
			default:
				return fmt.Errorf("it has version %s of %q, version %s stands there", named(version), object.Key, named(object.VersionID))
			}
			return nil
		})
}

// isFile reports whether the key is a file of the run.
func (r *runInspection) isFile(key string) bool { return path.Dir(key)+"/" == r.folder }

// sums compares SHA256SUMS with the objects of the run. Its own hash is compared
// with its entry in the log.
func (r *runInspection) sums(ctx context.Context, in io.Reader) (problem, err error) {
	return lineByLine(
		r.expected(ctx, manifest.RunManifest, manifest.RunSummary, manifest.RunObjects), func(object store.RunObject) string { return r.Layout.Relative(object.Key) },
		audit.SumLines(in), func(sum audit.Sum) string { return sum.Path },
		func(object store.RunObject, sum audit.Sum) error {
			switch {
			case sum.SHA256 == object.SHA256, object.SHA256 == "": // without a hash the file is missing, which is a finding already
			case r.isFile(object.Key):
				r.found.add(Finding{Changed, object.Key, fmt.Sprintf("its SHA-256 is %s, SHA256SUMS has %s", object.SHA256, sum.SHA256)})
			default:
				r.differ(manifest.RunSums, "it has SHA-256 %s of %q, the ledger has %s", sum.SHA256, object.Key, object.SHA256)
			}
			return nil
		})
}
