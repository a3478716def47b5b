package verify

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/url"
	"path"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// runInspection compares the files of one run with each other and with the
// ledger.
type runInspection struct {
	*Verifier
	run      store.RunCheck
	folder   string
	versions map[string]store.Object // of the files that are there, by name
	hashes   map[string]string       // of the files that were read

	// differences are what the file at hand states otherwise than the ledger.
	differences []Finding
}

func (r *runInspection) finding(sort Sort, name, format string, values ...any) {
	r.found.add(Finding{sort, r.folder + name, fmt.Sprintf(format, values...)})
}

// differ notes what a file states otherwise than the ledger.
func (r *runInspection) differ(name, format string, values ...any) {
	if len(r.differences) < shownFindings {
		r.differences = append(r.differences, Finding{LedgerDiffers, r.folder + name, fmt.Sprintf(format, values...)})
	}
}

func (r *runInspection) check(ctx context.Context) error {
	for _, file := range []struct {
		name  string
		check contentCheck
	}{
		{manifest.RunManifest, r.manifest},
		{manifest.RunSummary, r.summary},
		{manifest.RunObjects, r.objects},
		{manifest.RunSums, r.sums},
	} {
		if err := r.stream(ctx, file.name, file.check); err != nil {
			return err
		}
	}
	return r.checkpoint(ctx)
}

// stream reads a file once, for its hash and for check, which says what is wrong
// with the content. Each file states its hash in its metadata: a file that still
// has it is as it was stored, and then it is the ledger that was changed.
func (r *runInspection) stream(ctx context.Context, name string, check contentCheck) error {
	version, there := r.versions[name]
	if !there {
		return nil
	}
	body, object, err := r.Bucket.Get(ctx, r.folder+name, version.VersionID)
	if errors.Is(err, store.ErrNotFound) {
		r.finding(Missing, name, "it is listed and cannot be read")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	if err := r.checkLock(ctx, object); err != nil {
		return err
	}
	r.progress.objects.Add(1)

	hash := sha256.New()
	in := &counted{Reader: io.TeeReader(body, hash)}
	r.differences = nil
	problem, err := check(ctx, in)
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	r.progress.bytes.Add(in.bytes)
	if err != nil {
		return fmt.Errorf("check %q: %w", r.folder+name, err)
	}
	r.hashes[name] = hex.EncodeToString(hash.Sum(nil))
	stated := object.Metadata[metaSHA256]
	switch {
	case stated != "" && stated != r.hashes[name] && problem != nil:
		r.finding(brokenSort(problem), name, "its SHA-256 is %s, %s was stored: %s", r.hashes[name], stated, problem)
	case stated != "" && stated != r.hashes[name]:
		r.finding(Changed, name, "its SHA-256 is %s, %s was stored", r.hashes[name], stated)
	case stated != "" && problem != nil:
		r.finding(LedgerDiffers, name, "the file is as it was stored, and the ledger disagrees: %s", problem)
	case problem != nil:
		r.finding(brokenSort(problem), name, "%s", problem)
	default:
		r.found.add(r.differences...)
	}
	return nil
}

// contentCheck reads a file and says what is wrong with it, nil when nothing is.
// An err ends the verification.
type contentCheck func(ctx context.Context, in io.Reader) (problem, err error)

type counted struct {
	io.Reader
	bytes int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes += int64(n)
	return n, err
}

// longestLine bounds a line of a run's files.
const longestLine = 1 << 20

func lines(in io.Reader) *bufio.Scanner {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(make([]byte, 64<<10), longestLine)
	return scanner
}

// manifest compares manifest.jsonl.gz with the ledger's outcomes.
func (r *runInspection) manifest(ctx context.Context, in io.Reader) (problem, err error) {
	unzipped, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("it is not compressed as it should be: %w", err), nil
	}
	users, stop := iter.Pull2(r.Ledger.AuditRunUsers(ctx, r.run.ID))
	defer stop()
	stated := lines(unzipped)
	for stated.Scan() {
		var line manifest.Line
		if err := json.Unmarshal(stated.Bytes(), &line); err != nil {
			return fmt.Errorf("a line is no JSON: %w", err), nil
		}
		user, err, more := users()
		switch {
		case err != nil:
			return nil, err
		case !more:
			return fmt.Errorf("it has subject %s, and the ledger has no outcome of it in this run", line.Subject), nil
		case user.Subject != line.Subject:
			return fmt.Errorf("it has subject %s where the ledger has %s", line.Subject, user.Subject), nil
		}
		r.line(line, user)
	}
	if err := stated.Err(); err != nil {
		return fmt.Errorf("it breaks off: %w", err), nil
	}
	user, err, more := users()
	if err != nil {
		return nil, err
	}
	if more {
		return fmt.Errorf("it lacks subject %s, whose outcome the ledger has", user.Subject), nil
	}
	return nil, nil
}

// line compares one user of the manifest with the ledger's outcome.
func (r *runInspection) line(line manifest.Line, user store.RunUserRow) {
	differs := ""
	named := manifest.TransactionID(user.Transaction)
	switch {
	case line.Outcome != user.Outcome:
		differs = "outcome"
	case audit.OrEmpty(line.Class) != user.Class:
		differs = "class"
	case audit.OrEmpty(line.TransactionID) != audit.OrEmpty(named):
		differs = "transaction_id"
	case audit.OrEmpty(line.RecordKey) != user.Record.Key:
		differs = "record_key"
	case audit.OrEmpty(line.RecordSHA256) != user.Record.SHA256:
		differs = "record_sha256"
	case line.Requests != user.Requests:
		differs = "requests"
	}
	if differs != "" {
		r.differ(manifest.RunManifest, "the ledger's %s of subject %s is not what the manifest states", differs, line.Subject)
	}
	for _, image := range line.Images {
		if image.State != store.ImageStored || image.Key == nil || image.SHA256 == nil || image.Bytes == nil {
			continue
		}
		if stored := user.Stored[*image.Key]; stored != (store.StoredBytes{SHA256: *image.SHA256, Bytes: *image.Bytes}) {
			r.differ(manifest.RunManifest, "the manifest states %q as stored, and the ledger does not have it so", *image.Key)
		}
	}
}

// summary compares summary.json with what outcomes and images add up to.
func (r *runInspection) summary(_ context.Context, in io.Reader) (problem, err error) {
	var s manifest.Summary
	decoder := json.NewDecoder(io.LimitReader(in, audit.LargestSmall))
	if err := decoder.Decode(&s); err != nil {
		return fmt.Errorf("it is no summary: %w", err), nil
	}
	var users int64
	for _, state := range store.States {
		users += s.Users[string(state)]
	}
	switch {
	case s.RunID != r.run.ID || s.Kind != r.run.Kind || s.Status != r.run.Status:
		return fmt.Errorf("it speaks of the %s run %q, %s; the ledger has the %s run %q, %s", s.Kind, s.RunID, s.Status, r.run.Kind, r.run.ID, r.run.Status), nil
	case !s.StartedAt.Equal(manifest.Time(r.run.StartedAt)):
		return errors.New("its started_at is not the ledger's"), nil
	case users != s.Users["total"]:
		return fmt.Errorf("its states add up to %d users, its total is %d", users, s.Users["total"]), nil
	case !maps.Equal(present(s.Outcomes), present(r.run.Outcomes)):
		return fmt.Errorf("its outcomes are %v, the ledger has %v", present(s.Outcomes), present(r.run.Outcomes)), nil
	case !maps.Equal(present(s.Failures), present(r.run.Failures)):
		return fmt.Errorf("its failures are %v, the ledger has %v", present(s.Failures), present(r.run.Failures)), nil
	case s.Images != r.run.Images || s.Bytes != r.run.Bytes:
		return fmt.Errorf("it states %d images of %d bytes, the ledger has %d of %d", s.Images, s.Bytes, r.run.Images, r.run.Bytes), nil
	}
	return nil, nil
}

func present[K comparable](counts map[K]int64) map[K]int64 {
	some := maps.Clone(counts)
	maps.DeleteFunc(some, func(_ K, n int64) bool { return n == 0 })
	return some
}

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
		case hash == object.SHA256, object.SHA256 == "": // the latter is missing, which was told
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

// checkpoint compares SHA256SUMS with its entry in the log, and the checkpoint
// that was copied beside the files with the log as it is now.
func (r *runInspection) checkpoint(ctx context.Context) error {
	if hash, read := r.hashes[manifest.RunSums]; read {
		switch {
		case r.run.LogIndex >= 0 && r.run.LogSHA256 != hash:
			r.finding(Changed, manifest.RunSums, "its SHA-256 is %s, entry %d of the log, as the ledger has it, is %s", hash, r.run.LogIndex, r.run.LogSHA256)
		case !r.sealed(r.run.LogIndex):
			r.finding(Unsealed, manifest.RunSums, "it waits for the next seal")
		}
	}
	version, there := r.versions[manifest.RunCheckpoint]
	if !there {
		return nil
	}
	body, err := r.read(ctx, r.folder+manifest.RunCheckpoint, version.VersionID)
	if err != nil {
		return err
	}
	return r.checkCopy(ctx, r.folder+manifest.RunCheckpoint, body, r.run.LogIndex)
}
