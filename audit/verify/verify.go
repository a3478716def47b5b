package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// Options say what is verified.
//
// The modes are those of store.VerifyMode, and each does all that the one before
// it does. The default compares images by the bucket's listing, and reads
// records, run files and the log whole. Checksums also asks for the SHA-256 that
// the service holds of each image and checks locks. Deep also downloads each
// image, hashes it and opens it.
type Options struct {
	Mode store.VerifyMode
	// Subject or RunID narrow the check to one subject, or to a run and the
	// subjects with an outcome in it.
	Subject store.Subject
	RunID   string
	// Sample is the percentage of subjects whose records and images are read,
	// 100 for all. The bucket's listing is always compared whole.
	Sample float64
	// Decode is the percentage of images whose pixels a deep check decodes.
	Decode float64
	// Seed chooses both shares.
	Seed string
	// Parallel is the number of subjects in work at a time.
	Parallel int
}

// Verifier checks one archive.
type Verifier struct {
	Options
	Ledger   Ledger
	Bucket   Bucket
	Layout   manifest.Layout
	Identity store.ArchiveIdentity // as the configuration has it, with its place
	// SubjectOf makes the subject of a user id; nil leaves user ids unchecked.
	SubjectOf func(userID string) store.Subject
	// LogKey verifies the log's signatures; nil when no key is known.
	LogKey note.Verifier
	Tool   manifest.Tool
	// Actor is the account that runs the program.
	Actor string

	found    *findings
	progress progress
	sample   portion
	decode   portion
	log      *LogReport      // nil without a log
	logSize  int64           // entries under the head that the log was checked against
	badParts map[string]bool // keys of the log whose bytes are a finding already
	tree     *tlog.Tree      // nil without a log that can be relied on
	// placed are the indexes in the log, by key, of the statements that get one; -1
	// is none yet.
	placed map[string]int64
}

// Verify checks what the options say. Damage is no error: it is in the
// report. An error means that the check could not be made; there is no report
// then.
func (v *Verifier) Verify(ctx context.Context) (Report, error) {
	started := time.Now()
	v.found = newFindings(&v.progress.damaged)
	v.badParts = make(map[string]bool)
	v.placed = make(map[string]int64)
	v.sample = portion{v.Seed, v.Sample}
	v.decode = portion{v.Seed + "/decode", v.Decode}
	if err := v.sameArchive(ctx); err != nil {
		return Report{}, err
	}
	var err error
	if v.Subject == "" && v.RunID == "" {
		var objects int64
		if objects, err = v.Ledger.CountObjects(ctx); err != nil {
			return Report{}, err
		}
		v.progress.total.Store(objects)
		err = v.everything(ctx)
	} else {
		err = v.narrow(ctx)
	}
	if err != nil {
		return Report{}, err
	}
	report := v.report(started)
	if err := v.leaveTrace(ctx, &report); err != nil {
		return Report{}, err
	}
	return report, nil
}

// sameArchive makes sure that configuration and ledger speak of one archive.
func (v *Verifier) sameArchive(ctx context.Context) error {
	there, err := v.Ledger.Archive(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return nil // nothing was archived with this ledger
	}
	if err != nil {
		return err
	}
	if what := there.Difference(v.Identity); what != "" {
		return fmt.Errorf("%w: the ledger's archive %s", store.ErrForeignArchive, what)
	}
	return nil
}

// everything walks the whole prefix once, in the order of its keys.
func (v *Verifier) everything(ctx context.Context) error {
	prefix := v.Layout.Prefix
	if prefix != "" {
		prefix += "/"
	}
	l := v.list(ctx, prefix)
	defer l.close()

	v.progress.phase("archive")
	steps := []struct {
		phase string
		from  string // where the step's keys begin
		check func(context.Context, *listing) error
	}{
		{"archive", v.Layout.Archive(), v.checkArchive},
		{"audit", v.Layout.Audits(), v.checkStatements},
		{"log", v.Layout.Log(), v.checkLog},
		{"runs", v.Layout.Runs(), v.checkRuns},
		{"subjects", v.Layout.Subjects(), v.checkSubjects},
	}
	for _, step := range steps {
		if err := v.strays(l, func(key string) bool { return key < step.from }); err != nil {
			return err
		}
		v.progress.phase(step.phase)
		if err := step.check(ctx, l); err != nil {
			return err
		}
	}
	if err := v.strays(l, func(string) bool { return true }); err != nil {
		return err
	}
	v.checkPlaces()
	return v.checkUnbacked(ctx)
}

// narrow checks archive.json and the log, and then one run or subject.
func (v *Verifier) narrow(ctx context.Context) error {
	under := func(phase, prefix string, check func(context.Context, *listing) error) error {
		v.progress.phase(phase)
		l := v.list(ctx, prefix)
		defer l.close()
		return check(ctx, l)
	}
	if err := under("archive", v.Layout.Archive(), v.checkArchive); err != nil {
		return err
	}
	if err := under("log", v.Layout.Log(), v.checkLog); err != nil {
		return err
	}
	if v.RunID != "" {
		v.progress.phase("runs")
		if err := v.checkOneRun(ctx); err != nil {
			return err
		}
	}
	v.progress.phase("subjects")
	return v.checkSomeSubjects(ctx)
}
