package worker

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
	"os"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// runFile is a file of a run as it stands in the bucket.
type runFile struct {
	store.RunObject
	standing bool // it was there already
}

// writeRunFiles states the run in the bucket, from the ledger, and returns its
// SHA256SUMS. That comes last: it names all others, so that where it stands the
// files are whole. Sealed says that the records of the run are under the log's
// checkpoint.
//
// The status it returns is the one that summary.json states, which may be of a
// process that died closing the run: the run ends as that says.
func (w *Worker) writeRunFiles(ctx context.Context, run store.Run, status store.RunStatus, sealed bool) (runFile, store.RunStatus, error) {
	folder := w.Layout.Run(run.StartedAt, run.ID)

	lines, err := w.writeRunFile(ctx, folder+manifest.RunManifest, "application/gzip", func(out io.Writer) error {
		return w.writeManifest(ctx, out, run.ID)
	})
	if err != nil {
		return runFile{}, "", err
	}
	summary, err := w.writeRunFile(ctx, folder+manifest.RunSummary, "application/json", func(out io.Writer) error {
		return w.writeSummary(ctx, out, run.ID, status, sealed)
	})
	if err == nil && summary.standing {
		status, err = w.statedStatus(ctx, summary, status)
	}
	if err != nil {
		return runFile{}, "", err
	}
	objects, err := w.writeRunFile(ctx, folder+manifest.RunObjects, "text/csv", func(out io.Writer) error {
		return w.writeObjects(ctx, out, run.ID, lines, summary)
	})
	if err != nil {
		return runFile{}, "", err
	}
	sums, err := w.writeRunFile(ctx, folder+manifest.RunSums, "text/plain", func(out io.Writer) error {
		return w.writeSums(ctx, out, run.ID, lines, summary, objects)
	})
	return sums, status, err
}

// reportTime is what the page about a run may take before it is left out.
const reportTime = time.Minute

// writeReport puts the report of a closed run beside its files. It is for people and
// no evidence: SHA256SUMS does not list it, and a run is whole without it.
func (w *Worker) writeReport(ctx context.Context, run store.Run, status store.RunStatus) {
	if w.Reporter == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	key := w.Layout.Run(run.StartedAt, run.ID) + manifest.RunReport
	_, err := w.writeRunFile(ctx, key, "text/html; charset=utf-8", func(out io.Writer) error {
		return w.Reporter.WriteRunReport(ctx, out, run.ID, status)
	})
	if err != nil {
		w.Log.Warn("the run has no report; `vlens-archiver report` makes one", "event", "report_failed", "run_id", run.ID, "error", err.Error())
	}
}

// statedStatus is the status that a standing summary.json states. One that is no
// summary, which is for verify to find, must not keep the run from being closed:
// then it is ours.
func (w *Worker) statedStatus(ctx context.Context, summary runFile, ours store.RunStatus) (store.RunStatus, error) {
	body, _, err := w.readObject(ctx, summary.Key, summary.VersionID)
	if err != nil {
		return "", err
	}
	var stated manifest.Summary
	if err := json.Unmarshal(body, &stated); err != nil || stated.Status != store.RunClosed && stated.Status != store.RunInterrupted {
		return ours, nil
	}
	return stated.Status, nil
}

func (w *Worker) writeManifest(ctx context.Context, out io.Writer, runID string) error {
	zipped := gzip.NewWriter(out)
	encoder := json.NewEncoder(zipped)
	for entry, err := range w.Ledger.RunEntries(ctx, runID) {
		if err != nil {
			return err
		}
		if err := encoder.Encode(manifest.NewLine(entry)); err != nil {
			return err
		}
	}
	return zipped.Close()
}

func (w *Worker) writeSummary(ctx context.Context, out io.Writer, runID string, status store.RunStatus, sealed bool) error {
	totals, err := w.Ledger.Totals(ctx, runID)
	if err != nil {
		return err
	}
	ended, err := w.Ledger.Clock(ctx)
	if err != nil {
		return err
	}
	summary := manifest.NewSummary(totals, status, ended, w.Tool)
	log, err := w.Ledger.LogState(ctx)
	if err != nil {
		return err
	}
	if sealed {
		summary.Log = manifest.NewLogHead(log.Head)
	}
	summary.Notes = append(append(summary.Notes, w.notes(totals)...), w.sealNotes(log)...)
	body, err := summary.Encode()
	if err != nil {
		return err
	}
	_, err = out.Write(body)
	return err
}

func (w *Worker) writeObjects(ctx context.Context, out io.Writer, runID string, files ...runFile) error {
	bucket := w.Bucket.Location().Bucket
	table := csv.NewWriter(out)
	for object, err := range w.Ledger.RunObjects(ctx, runID) {
		if err != nil {
			return err
		}
		if err := manifest.WriteObject(table, bucket, object.Key, object.VersionID); err != nil {
			return err
		}
	}
	for _, file := range files {
		if err := manifest.WriteObject(table, bucket, file.Key, file.VersionID); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

func (w *Worker) writeSums(ctx context.Context, out io.Writer, runID string, files ...runFile) error {
	for object, err := range w.Ledger.RunObjects(ctx, runID) {
		if err != nil {
			return err
		}
		if err := manifest.WriteSum(out, object.SHA256, w.Layout.Relative(object.Key)); err != nil {
			return err
		}
	}
	for _, file := range files {
		if err := manifest.WriteSum(out, file.SHA256, w.Layout.Relative(file.Key)); err != nil {
			return err
		}
	}
	return nil
}

// writeRunFile spools a file to disk, since a run may be of any size and its
// files hold no images, and puts it create-only. When the file is there already,
// left by a process that died closing the run, that one stands.
func (w *Worker) writeRunFile(ctx context.Context, key, contentType string, fill func(io.Writer) error) (runFile, error) {
	spool, err := os.CreateTemp("", "vlens-archiver-run-")
	if err != nil {
		return runFile{}, fmt.Errorf("spool %q: %w (a writable temporary folder is needed)", key, err)
	}
	defer os.Remove(spool.Name())
	defer spool.Close()

	request := store.PutRequest{Key: key, Body: spool, ContentType: contentType}
	err = w.database.try(ctx, func() (err error) {
		request.Size, request.SHA256, err = rewrite(spool, fill)
		return err
	})
	if err != nil {
		return runFile{}, fmt.Errorf("spool %q: %w", key, err)
	}
	sum := hex.EncodeToString(request.SHA256[:])
	request.Metadata = map[string]string{metaSHA256: sum}
	object, err := w.putObject(ctx, request)
	if errors.Is(err, store.ErrExists) {
		return w.standingRunFile(ctx, key)
	}
	return runFile{RunObject: store.RunObject{Key: key, VersionID: object.VersionID, SHA256: sum}}, err
}

// rewrite fills a file from its beginning, and returns its size and hash.
func rewrite(file *os.File, fill func(io.Writer) error) (size int64, sum [sha256.Size]byte, err error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, sum, err
	}
	if err := file.Truncate(0); err != nil {
		return 0, sum, err
	}
	hash := sha256.New()
	buffered := bufio.NewWriter(io.MultiWriter(file, hash))
	if err := fill(buffered); err != nil {
		return 0, sum, err
	}
	if err := buffered.Flush(); err != nil {
		return 0, sum, err
	}
	size, err = file.Seek(0, io.SeekCurrent)
	return size, [sha256.Size]byte(hash.Sum(nil)), err
}

// standingRunFile is a file of the run as it stands in the bucket.
func (w *Worker) standingRunFile(ctx context.Context, key string) (runFile, error) {
	object, err := ask(ctx, w.bucket, func() (store.Object, error) { return w.Bucket.Head(ctx, key, "") })
	if err != nil {
		return runFile{}, err
	}
	file := runFile{store.RunObject{Key: key, VersionID: object.VersionID, SHA256: object.SHA256}, true}
	if file.SHA256 == "" { // the service keeps no checksum
		file.SHA256, err = ask(ctx, w.bucket, func() (string, error) {
			return w.contentHash(ctx, key, object.VersionID)
		})
	}
	return file, err
}

func (w *Worker) contentHash(ctx context.Context, key, versionID string) (string, error) {
	body, _, err := w.Bucket.Get(ctx, key, versionID)
	if err != nil {
		return "", err
	}
	defer body.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, body); err != nil {
		return "", fmt.Errorf("read %q: %w: %w", key, store.ErrUnavailable, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
