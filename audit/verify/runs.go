package verify

import (
	"context"
	"errors"
	"fmt"
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

// listedRun is the folder of a run with its files, by their names.
type listedRun struct {
	folder string
	files  map[string]audit.Versions
}

// checkRuns compares the listing of runs with the ledger's runs.
func (v *Verifier) checkRuns(ctx context.Context, l *listing) error {
	listed := func(yield func(listedRun, error) bool) {
		for {
			run, err := v.takeRun(l)
			if err == nil && run.folder == "" || !yield(run, err) || err != nil {
				return
			}
		}
	}
	byFolder := func(run store.RunCheck, listed listedRun) int {
		return strings.Compare(v.runFolder(run.Run), listed.folder)
	}
	return sideBySide(v.Ledger.AuditRuns(ctx, "", v.sumsKey), listed, byFolder, func(run *store.RunCheck, listed *listedRun) error {
		switch {
		case run == nil:
			return v.unknownRun(ctx, *listed)
		case listed == nil:
			return v.checkRun(ctx, *run, nil)
		}
		return v.checkRun(ctx, *run, listed.files)
	})
}

func (v *Verifier) runFolder(run store.Run) string { return v.Layout.Run(run.StartedAt, run.ID) }

func (v *Verifier) sumsKey(run store.Run) string { return v.runFolder(run) + manifest.RunSums }

// takeRun collects the listing of the next run; an empty folder at the end.
func (v *Verifier) takeRun(l *listing) (listedRun, error) {
	run := listedRun{files: make(map[string]audit.Versions)}
	for {
		o, ok, err := l.takeIf(func(key string) bool {
			return strings.HasPrefix(key, v.Layout.Runs()) && (run.folder == "" || path.Dir(key)+"/" == run.folder)
		})
		if err != nil || !ok {
			return run, err
		}
		name := path.Base(o.Key)
		ours := slices.Contains(evidenceFiles, name) || slices.Contains(sideFiles, name)
		if !ours || strings.Count(strings.TrimPrefix(o.Key, v.Layout.Runs()), "/") != 4 {
			if _, there := o.Latest(); there {
				v.found.add(Finding{Unexpected, o.Key, "a run has no such file"})
			}
			continue
		}
		run.folder = path.Dir(o.Key) + "/"
		run.files[name] = o
	}
}

// listRun is takeRun of one run, by a listing of its own.
func (v *Verifier) listRun(ctx context.Context, run store.RunCheck) (map[string]audit.Versions, error) {
	l := v.list(ctx, v.runFolder(run.Run))
	defer l.close()
	listed, err := v.takeRun(l)
	return listed.files, err
}

// unknownRun is a folder for which the ledger, when it was read, had no run. A
// run may have begun since.
func (v *Verifier) unknownRun(ctx context.Context, listed listedRun) error {
	id := path.Base(listed.folder)
	if store.ValidRunID(id) {
		for run, err := range v.Ledger.AuditRuns(ctx, id, v.sumsKey) {
			if err != nil {
				return err
			}
			if v.runFolder(run.Run) == listed.folder {
				return nil // younger than this verification
			}
		}
	}
	for _, o := range listed.files {
		if _, there := o.Latest(); there {
			v.found.add(Finding{LedgerMissing, o.Key, fmt.Sprintf("the ledger has no run in the folder %q", listed.folder)})
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
		files, err := v.listRun(ctx, run)
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
		var err error
		if files, err = v.listRun(ctx, run); err != nil {
			return err
		}
	}
	r := &runInspection{Verifier: v, run: run, folder: v.runFolder(run.Run), hashes: make(map[string]string), versions: make(map[string]store.Object)}
	for _, name := range evidenceFiles {
		version, ok := v.onlyVersion(files[name])
		if !ok {
			v.found.add(Finding{Missing, r.folder + name, fmt.Sprintf("run %q is %s", run.ID, run.Status)})
			continue
		}
		r.versions[name] = version
	}
	for _, name := range sideFiles {
		if version, ok := v.onlyVersion(files[name]); ok {
			r.versions[name] = version
		} else if name == manifest.RunCheckpoint && run.Checkpointed {
			v.found.add(Finding{Missing, r.folder + name, "the ledger knows that it was put there"})
		}
	}
	return r.check(ctx)
}
