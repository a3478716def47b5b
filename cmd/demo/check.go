package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/vlens/vlenstest"
)

// shownProblems is how many problems are listed; the others are only counted.
const shownProblems = 10

// check compares the folder with what the simulator says must be in it. It
// takes nothing from the program that filled it but the layout of the bucket.
type check struct {
	folder   *os.Root
	tenant   *tenant
	key      store.SubjectKey
	layout   manifest.Layout
	lines    map[store.Subject]manifest.Line // the first run's manifest
	images   int                             // compared
	records  int                             // compared
	problems []string
}

func (c *check) problem(format string, values ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, values...))
}

// all does every comparison. runs are the folders of the runs in the bucket.
func (c *check) all(ctx context.Context, runs ...string) error {
	if err := c.users(ctx); err != nil {
		return err
	}
	if err := c.sums(runs); err != nil {
		return err
	}
	if len(c.problems) == 0 {
		return nil
	}
	list := c.problems
	if more := len(list) - shownProblems; more > 0 {
		list = append(list[:shownProblems:shownProblems], fmt.Sprintf("and %d more", more))
	}
	return errors.New("the folder does not hold what it must:\n  " + strings.Join(list, "\n  "))
}

// users compares outcome, images and record of every user.
func (c *check) users(ctx context.Context) error {
	found, err := c.namedImages()
	if err != nil {
		return err
	}
	expected, err := c.expectations(ctx)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(expected)) {
		want, subject := expected[id], c.key.Subject(id)
		line, ok := c.lines[subject]
		if !ok {
			c.problem("%s is not in the manifest", id)
			continue
		}
		if class := value(line.Class); string(line.Outcome) != want.Outcome || string(class) != want.Class {
			c.problem("%s is %s %s, not %s %s", id, line.Outcome, class, want.Outcome, want.Class)
		}
		if !maps.Equal(found[subject], want.Images) {
			c.problem("%s: %s", id, difference(found[subject], want.Images))
		}
		c.images += len(want.Images)
		delete(found, subject)
		c.record(id, line, want)
	}
	for subject := range found {
		c.problem("%s/%s belongs to nobody", imagesDir, subject)
	}
	return nil
}

// expectations are what must have become of every user. Of two users who share
// a transaction, the one who came second must have been refused it.
func (c *check) expectations(ctx context.Context) (map[string]vlenstest.Expected, error) {
	expected, err := c.tenant.expectations(ctx)
	if err != nil {
		return nil, err
	}
	for id, want := range expected {
		if want.Rival == "" {
			continue
		}
		second := want.Rival
		if c.lines[c.key.Subject(second)].Outcome == store.OutcomeArchived {
			second = id
		}
		expected[second] = vlenstest.Expected{Outcome: string(store.OutcomeFailed), Class: string(store.ClassSharedTransaction)}
	}
	return expected, nil
}

// record compares the record that the manifest names with the images that must
// be stored.
func (c *check) record(id string, line manifest.Line, want vlenstest.Expected) {
	if line.RecordKey == nil {
		if len(want.Images) > 0 {
			c.problem("%s has no record", id)
		}
		return
	}
	body, err := c.folder.ReadFile(path.Join(bucketDir, c.layout.Relative(*line.RecordKey)))
	if err != nil {
		c.problem("%s: %s", id, err)
		return
	}
	record, err := manifest.DecodeRecord(body)
	if err != nil {
		c.problem("%s: %s", id, err)
		return
	}
	stated := map[vlenstest.Kind]vlenstest.Sum{}
	for _, image := range record.Images {
		if image.State == store.ImageStored {
			stated[vlenstest.Kind(image.Kind)] = vlenstest.Sum{SHA256: value(image.SHA256), Bytes: int(value(image.Bytes))}
		}
	}
	if record.Subject != line.Subject || value(record.TransactionID) != want.TransactionID && len(want.Images) > 0 {
		c.problem("%s: the record is of another subject or transaction", id)
	}
	if !maps.Equal(stated, want.Images) {
		c.problem("%s: the record: %s", id, difference(stated, want.Images))
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != value(line.RecordSHA256) {
		c.problem("%s: the record is not the one of the manifest", id)
	}
	c.records++
}

// namedImages hashes all that is in images/SUBJECT/TRANSACTION/KIND.EXTENSION.
func (c *check) namedImages() (map[store.Subject]map[vlenstest.Kind]vlenstest.Sum, error) {
	found := map[store.Subject]map[vlenstest.Kind]vlenstest.Sum{}
	err := c.files(imagesDir, func(name string) error {
		parts := strings.Split(name, "/")
		if len(parts) != 4 {
			c.problem("%s is not an image", name)
			return nil
		}
		sum, err := c.sum(name)
		if err != nil {
			return err
		}
		subject := store.Subject(parts[1])
		kind, _, _ := strings.Cut(parts[3], ".")
		if found[subject] == nil {
			found[subject] = map[vlenstest.Kind]vlenstest.Sum{}
		}
		found[subject][vlenstest.Kind(kind)] = sum
		return nil
	})
	return found, err
}

// sums does what "sha256sum -c" does for the runs, and makes sure that no image
// or record is without a line.
func (c *check) sums(runs []string) error {
	stated := map[string]bool{}
	for _, run := range runs {
		content, err := c.folder.ReadFile(path.Join(bucketDir, c.layout.Relative(run), manifest.RunSums))
		if err != nil {
			return fmt.Errorf("check the folder: %w", err)
		}
		for line := range strings.Lines(string(content)) {
			want, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
			stated[path.Join(bucketDir, name)] = true
			sum, err := c.sum(path.Join(bucketDir, name))
			if err != nil || sum.SHA256 != want {
				c.problem("%s is not what %s says", name, manifest.RunSums)
			}
		}
	}
	return c.files(path.Join(bucketDir, "subjects"), func(name string) error {
		if !stated[name] {
			c.problem("%s is in no %s", name, manifest.RunSums)
		}
		return nil
	})
}

// files calls visit with the names of all files below dir, which may be
// missing.
func (c *check) files(dir string, visit func(name string) error) error {
	if _, err := c.folder.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := fs.WalkDir(c.folder.FS(), dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return visit(name)
	})
	if err != nil {
		return fmt.Errorf("check the folder: %w", err)
	}
	return nil
}

func (c *check) sum(name string) (vlenstest.Sum, error) {
	file, err := c.folder.Open(name)
	if err != nil {
		return vlenstest.Sum{}, err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	return vlenstest.Sum{SHA256: hex.EncodeToString(hash.Sum(nil)), Bytes: int(size)}, err
}

var _ = [1]struct{}{}[store.KindCount-vlenstest.KindCount] // the simulator has other kinds

// difference names the first kind in which two sets of images differ.
func difference(found, want map[vlenstest.Kind]vlenstest.Sum) string {
	for _, kind := range vlenstest.Kinds {
		has, isThere := found[kind]
		must, isWanted := want[kind]
		switch {
		case isWanted && !isThere:
			return string(kind) + " is missing"
		case isThere && !isWanted:
			return string(kind) + " should not be there"
		case has != must:
			return string(kind) + " has other bytes"
		}
	}
	return "there is an image of no kind"
}

func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}
