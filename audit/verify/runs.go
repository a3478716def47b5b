package verify

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// evidenceFiles are the files that every closed run has; sideFiles those that it
// may have.
var (
	evidenceFiles = []string{manifest.RunManifest, manifest.RunSummary, manifest.RunObjects, manifest.RunSums}
	sideFiles     = []string{manifest.RunReport, manifest.RunCheckpoint, manifest.RunTimestamp}
)

// checkRuns walks the listing of runs and the ledger's runs, which are in the
// same order, side by side.
func (v *Verifier) checkRuns(ctx context.Context, l *listing) error {
	runs, stop := iter.Pull2(v.Ledger.AuditRuns(ctx, "", v.sumsKey))
	defer stop()
	known, err, more := runs()
	if err != nil {
		return err
	}
	for {
		folder, files, err := v.takeRun(l)
		if err != nil {
			return err
		}
		for more && (folder == "" || v.runFolder(known.Run) < folder) {
			if err := v.checkRun(ctx, known, nil); err != nil {
				return err
			}
			if known, err, more = runs(); err != nil {
				return err
			}
		}
		switch {
		case folder == "":
			return nil
		case more && v.runFolder(known.Run) == folder:
			if err := v.checkRun(ctx, known, files); err != nil {
				return err
			}
			if known, err, more = runs(); err != nil {
				return err
			}
		default:
			if err := v.unknownRun(ctx, folder, files); err != nil {
				return err
			}
		}
	}
}

func (v *Verifier) runFolder(run store.Run) string { return v.Layout.Run(run.StartedAt, run.ID) }

func (v *Verifier) sumsKey(run store.Run) string { return v.runFolder(run) + manifest.RunSums }

// takeRun collects the listing of the next run's folder, by file name; an empty
// folder at the end.
func (v *Verifier) takeRun(l *listing) (folder string, files map[string]audit.Versions, err error) {
	files = make(map[string]audit.Versions)
	for {
		o, ok, err := l.takeIf(func(key string) bool {
			return strings.HasPrefix(key, v.Layout.Runs()) && (folder == "" || path.Dir(key)+"/" == folder)
		})
		if err != nil || !ok {
			return folder, files, err
		}
		name := path.Base(o.Key)
		ours := slices.Contains(evidenceFiles, name) || slices.Contains(sideFiles, name)
		if !ours || strings.Count(strings.TrimPrefix(o.Key, v.Layout.Runs()), "/") != 4 {
			if _, there := o.Latest(); there {
				v.found.add(Finding{Unexpected, o.Key, "a run has no such file"})
			}
			continue
		}
		folder = path.Dir(o.Key) + "/"
		files[name] = o
	}
}

// unknownRun is a folder for which the ledger, when it was read, had no run. A
// run may have begun since.
func (v *Verifier) unknownRun(ctx context.Context, folder string, files map[string]audit.Versions) error {
	id := path.Base(folder)
	if store.ValidRunID(id) {
		for run, err := range v.Ledger.AuditRuns(ctx, id, v.sumsKey) {
			if err != nil {
				return err
			}
			if v.runFolder(run.Run) == folder {
				return nil // younger than this verification
			}
		}
	}
	for _, o := range files {
		if _, there := o.Latest(); there {
			v.found.add(Finding{LedgerMissing, o.Key, fmt.Sprintf("the ledger has no run in the folder %q", folder)})
		}
	}
	return nil
}

// ErrNoRun says that the ledger does not have the run that is to be checked.
var ErrNoRun = errors.New("no such run in this ledger")

// checkOneRun checks the run of the options.
func (v *Verifier) checkOneRun(ctx context.Context) error {
	found := false
	for run, err := range v.Ledger.AuditRuns(ctx, v.RunID, v.sumsKey) {
		if err != nil {
			return err
		}
		found = true
		l := v.list(ctx, v.runFolder(run.Run))
		defer l.close()
		_, files, err := v.takeRun(l)
		if err != nil {
			return err
		}
		if err := v.checkRun(ctx, run, files); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%w: %q", ErrNoRun, v.RunID)
	}
	return nil
}

// lacks reports whether a file is missing that the run must have.
func (v *Verifier) lacks(run store.RunCheck, files map[string]audit.Versions) bool {
	return slices.ContainsFunc(evidenceFiles, func(name string) bool { return files[name].Key == "" }) ||
		run.Checkpointed && files[manifest.RunCheckpoint].Key == ""
}

// checkRun checks the files of one run.
func (v *Verifier) checkRun(ctx context.Context, run store.RunCheck, files map[string]audit.Versions) error {
	v.progress.runs.Add(1)
	if run.Status == store.RunOpen {
		v.progress.underWay.Add(int64(len(files))) // somebody may be closing it
		return nil
	}
	if v.lacks(run, files) {
		// It may have been closed since the listing was read.
		l := v.list(ctx, v.runFolder(run.Run))
		defer l.close()
		var err error
		if _, files, err = v.takeRun(l); err != nil {
			return err
		}
	}
	r := &runInspection{Verifier: v, run: run, folder: v.runFolder(run.Run), hashes: make(map[string]string), versions: make(map[string]store.Object)}
	for _, name := range evidenceFiles {
		version, ok := v.onlyVersion(files[name], files[name].Key != "")
		if !ok {
			v.found.add(Finding{Missing, r.folder + name, fmt.Sprintf("run %q is %s", run.ID, run.Status)})
			continue
		}
		r.versions[name] = version
	}
	for _, name := range sideFiles {
		if version, ok := v.onlyVersion(files[name], files[name].Key != ""); ok {
			r.versions[name] = version
		} else if name == manifest.RunCheckpoint && run.Checkpointed {
			v.found.add(Finding{Missing, r.folder + name, "the ledger knows that it was put there"})
		}
	}
	return r.check(ctx)
}
