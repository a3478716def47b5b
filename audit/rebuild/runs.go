package rebuild

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"path"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

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
	for sum, err := range audit.SumLines(io.TeeReader(body, hash)) {
		if err != nil {
			return nil, "", audit.Broken(key, err)
		}
		if name, ours := strings.CutPrefix(sum.Path, r.Layout.Relative(folder.prefix)); ours {
			stated[name] = sum.SHA256
		}
	}
	return stated, hex.EncodeToString(hash.Sum(nil)), nil
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
	if audit.HashOf(content) != stated[manifest.RunSummary] {
		return summary, audit.Damaged(key, "its SHA-256 is another than SHA256SUMS states")
	}
	if err := json.Unmarshal(content, &summary); err != nil {
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
