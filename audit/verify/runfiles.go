package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

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

	// differences are what the file that is read states otherwise than the ledger.
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
	if err != nil {
		return r.unread(r.folder+name, err)
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
		r.finding(sortOfBroken(problem), name, "its SHA-256 is %s, %s was stored: %s", r.hashes[name], stated, problem)
	case stated != "" && stated != r.hashes[name]:
		r.finding(Changed, name, "its SHA-256 is %s, %s was stored", r.hashes[name], stated)
	case stated != "" && problem != nil:
		r.finding(LedgerDiffers, name, "the file is as it was stored, and the ledger disagrees: %s", problem)
	case problem != nil:
		r.finding(sortOfBroken(problem), name, "%s", problem)
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
