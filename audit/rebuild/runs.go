package rebuild

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// outcomesAtOnce is how many lines of a manifest are in memory at a time.
const outcomesAtOnce = 2000

// runFolder is a run's folder as the listing shows it: the oldest version of
// each file.
type runFolder struct {
	prefix string
	files  map[string]store.Object // by name
}

// addRuns reads the files of every run.
func (r *Rebuilder) addRuns(ctx context.Context) error {
	folder := runFolder{files: make(map[string]store.Object)}
	for key, err := range audit.Keys(ctx, r.Bucket, r.Layout.Runs()) {
		if err != nil {
			return err
		}
		first, there := key.First()
		if !there {
			continue
		}
		dir, name := path.Split(key.Key)
		if dir != folder.prefix {
			if err := r.addRun(ctx, folder); err != nil {
				return err
			}
			folder = runFolder{prefix: dir, files: make(map[string]store.Object)}
		}
		folder.files[name] = first
	}
	return r.addRun(ctx, folder)
}

// addRun adds a run, if its folder has SHA256SUMS: it was written last.
func (r *Rebuilder) addRun(ctx context.Context, folder runFolder) error {
	sums, closed := folder.files[manifest.RunSums]
	if !closed {
		return nil
	}
	stated, sumsSHA256, err := r.readSums(ctx, folder)
	if err != nil {
		return r.leaveOut(sums.Key, err)
	}
	summary, err := r.readSummary(ctx, folder, stated)
	if err != nil {
		return r.leaveOut(folder.prefix+manifest.RunSummary, err)
	}
	run := store.RebuiltRun{
		Run: store.Run{
			ID: summary.RunID, Kind: summary.Kind, Status: summary.Status, StartedAt: summary.StartedAt, EndedAt: summary.EndedAt,
			ToolVersion: summary.Tool.Version,
		},
		LeftHeld: summary.LeftHeld, SumsKey: sums.Key, SumsSHA256: sumsSHA256,
		CheckpointAt: folder.files[manifest.RunCheckpoint].LastModified,
	}
	if err := r.Ledger.AddRun(ctx, run); err != nil {
		return err
	}
	key := folder.prefix + manifest.RunManifest
	return r.leaveOut(key, r.addOutcomes(ctx, run.ID, folder, stated))
}

// readSums is what SHA256SUMS states of the other files of the run, and its own
// hash. It has a line for every object of the run, so it is read as a stream.
func (r *Rebuilder) readSums(ctx context.Context, folder runFolder) (map[string]string, string, error) {
	key := folder.prefix + manifest.RunSums
	body, err := r.openRunFile(ctx, folder, manifest.RunSums)
	if err != nil {
		return nil, "", err
	}
	defer body.Close()
	hash := sha256.New()
	stated := make(map[string]string)
	lines := bufio.NewScanner(io.TeeReader(body, hash))
	for lines.Scan() {
		sum, file, found := strings.Cut(lines.Text(), "  ")
		if !found || len(sum) != 2*sha256.Size {
			return nil, "", audit.Damaged(key, "it has a line that states no hash")
		}
		if name, ours := strings.CutPrefix(file, r.Layout.Relative(folder.prefix)); ours {
			stated[name] = sum
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, "", audit.Damaged(key, "it has a line that is too long")
	}
	return stated, hex.EncodeToString(hash.Sum(nil)), lines.Err()
}

func (r *Rebuilder) readSummary(ctx context.Context, folder runFolder, stated map[string]string) (manifest.Summary, error) {
	var summary manifest.Summary
	key := folder.prefix + manifest.RunSummary
	body, err := r.openRunFile(ctx, folder, manifest.RunSummary)
	if err != nil {
		return summary, err
	}
	defer body.Close()
	content, err := io.ReadAll(io.LimitReader(body, audit.LargestSmall))
	if err != nil {
		return summary, err
	}
	sum := sha256.Sum256(content)
	if hex.EncodeToString(sum[:]) != stated[manifest.RunSummary] {
		return summary, audit.Damaged(key, "its SHA-256 is another than SHA256SUMS states")
	}
	if err := json.NewDecoder(bytes.NewReader(content)).Decode(&summary); err != nil {
		return summary, audit.Damaged(key, "%v", err)
	}
	if summary.Status != store.RunClosed && summary.Status != store.RunInterrupted ||
		!store.ValidRunID(summary.RunID) || r.Layout.Run(summary.StartedAt, summary.RunID) != folder.prefix {
		return summary, audit.Damaged(key, "it states another run, or one that is not closed")
	}
	return summary, nil
}

func (r *Rebuilder) openRunFile(ctx context.Context, folder runFolder, name string) (io.ReadCloser, error) {
	object, there := folder.files[name]
	if !there {
		return nil, audit.Damaged(folder.prefix+name, "it is missing")
	}
	body, _, err := r.Bucket.Get(ctx, object.Key, object.VersionID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, audit.Damaged(object.Key, "it is listed and cannot be read")
	}
	return body, err
}

// addOutcomes reads a run's manifest as a stream. Its hash is known only at the
// end, after its outcomes were added: so it is read twice, first for its hash.
func (r *Rebuilder) addOutcomes(ctx context.Context, runID string, folder runFolder, stated map[string]string) error {
	key := folder.prefix + manifest.RunManifest
	if err := r.checkRunFile(ctx, folder, manifest.RunManifest, stated); err != nil {
		return err
	}
	body, err := r.openRunFile(ctx, folder, manifest.RunManifest)
	if err != nil {
		return err
	}
	defer body.Close()
	unzipped, err := gzip.NewReader(body)
	if err != nil {
		return brokenOr(key, err)
	}
	lines := json.NewDecoder(unzipped)
	var outcomes []store.RebuiltOutcome
	for {
		var line manifest.Line
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return brokenOr(key, err)
		}
		outcome := r.outcomeOf(line)
		if !validOutcome(outcome) {
			return audit.Damaged(key, "it has a line that states no outcome of a subject")
		}
		outcomes = append(outcomes, outcome)
		if len(outcomes) == outcomesAtOnce {
			if err := r.flushOutcomes(ctx, runID, outcomes); err != nil {
				return err
			}
			outcomes = outcomes[:0]
		}
	}
	return r.flushOutcomes(ctx, runID, outcomes)
}

func (r *Rebuilder) flushOutcomes(ctx context.Context, runID string, outcomes []store.RebuiltOutcome) error {
	r.progress.outcomes.Add(int64(len(outcomes)))
	return r.Ledger.AddOutcomes(ctx, runID, outcomes)
}

func (r *Rebuilder) checkRunFile(ctx context.Context, folder runFolder, name string, stated map[string]string) error {
	body, err := r.openRunFile(ctx, folder, name)
	if err != nil {
		return err
	}
	defer body.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, body); err != nil {
		return err
	}
	if hex.EncodeToString(hash.Sum(nil)) != stated[name] {
		return audit.Damaged(folder.prefix+name, "its SHA-256 is another than SHA256SUMS states")
	}
	return nil
}

// outcomeOf reads a line of a manifest. A folder without an id of the vendor's
// stands in no field, but in the keys of what is in it.
func (r *Rebuilder) outcomeOf(line manifest.Line) store.RebuiltOutcome {
	outcome := store.RebuiltOutcome{
		Subject: line.Subject, Outcome: line.Outcome, Class: audit.OrEmpty(line.Class), Transaction: audit.OrEmpty(line.TransactionID),
		RecordKey: audit.OrEmpty(line.RecordKey), RecordSHA256: audit.OrEmpty(line.RecordSHA256), Requests: line.Requests,
	}
	keys := []string{outcome.RecordKey}
	for _, image := range line.Images {
		keys = append(keys, audit.OrEmpty(image.Key))
	}
	for _, key := range keys {
		if parts, ours := r.Layout.ParseSubjectObject(key); ours && outcome.Transaction == "" {
			outcome.Transaction = parts.Transaction
		}
	}
	return outcome
}

// brokenOr is the damage of an object that does not parse, or the failure to read
// it.
func brokenOr(key string, err error) error {
	for _, reading := range []error{store.ErrUnavailable, store.ErrDenied, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, reading) {
			return err
		}
	}
	return audit.Damaged(key, "%v", err)
}

func validOutcome(o store.RebuiltOutcome) bool {
	needsClass := o.Outcome == store.OutcomeFailed || o.Outcome == store.OutcomePartial
	return validSubject.MatchString(string(o.Subject)) && slices.Contains(store.Outcomes, o.Outcome) &&
		(o.Class != store.ClassNone || !needsClass) && o.Requests >= 0 && (o.RecordSHA256 == "" || validSHA256.MatchString(o.RecordSHA256))
}
