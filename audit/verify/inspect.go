package verify

import (
	"context"
	"fmt"
	"slices"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

// inspection compares ledger, records and listing of one subject. One goroutine
// owns it.
type inspection struct {
	*Verifier
	rows    store.SubjectRows
	objects map[string]audit.Versions
	sampled bool // records are read

	found        []Finding
	underWay     int // objects of an attempt in progress
	expectations []expectation

	// statements are what the records in the ledger state as stored, unreadable
	// the transactions whose records are not all known, because one is damaged
	// or outside the sample.
	statements map[statementKey]store.Image
	others     map[string][]otherStatement // by transaction: what is not stored
	unreadable map[string]bool
}

type statementKey struct {
	key string
	ref store.Ref
}

// expectation is what an image's object must be.
type expectation struct {
	store.Image
	// version is what the listing has; doubted says that its ETag is not the
	// ledger's, so that only its bytes can tell.
	version store.Object
	doubted bool
}

func (i *inspection) finding(sort Sort, key, format string, values ...any) {
	i.found = append(i.found, Finding{sort, key, fmt.Sprintf(format, values...)})
}

func (v *Verifier) inspect(ctx context.Context, u unit, sampled bool) (*inspection, error) {
	i := &inspection{
		Verifier: v, rows: u.rows, sampled: sampled,
		objects:    make(map[string]audit.Versions, len(u.objects)),
		statements: make(map[statementKey]store.Image),
		others:     make(map[string][]otherStatement),
		unreadable: make(map[string]bool),
	}
	i.rows.Subject = u.subject
	for _, o := range u.objects {
		i.objects[o.Key] = o
	}
	for _, row := range i.rows.Records {
		if err := i.record(ctx, row); err != nil {
			return nil, err
		}
	}
	i.listed()
	i.cited()
	i.images()
	i.notStored()
	if err := i.unknown(ctx); err != nil {
		return nil, err
	}
	return i, nil
}

// find finds the version of an object that was recorded, or else the latest one.
func (i *inspection) find(key, versionID string) (version store.Object, recorded, there bool) {
	o, listed := i.objects[key]
	if !listed {
		i.finding(Missing, key, "no object stands under the key")
		return store.Object{}, false, false
	}
	n := slices.IndexFunc(o.All, func(v store.Object) bool { return !v.DeleteMarker && store.SameVersion(v.VersionID, versionID) })
	if n >= 0 {
		if cover := cover(o, o.All[n]); cover != "" {
			i.finding(Hidden, key, "%s", cover)
		}
		return o.All[n], true, true
	}
	version, there = o.Latest()
	if !there {
		i.finding(Missing, key, "only a delete marker is left")
	}
	return version, false, there
}

// listed makes sure that the ledger's list of users has the subject, as the user
// whose pseudonym it is.
func (i *inspection) listed() {
	key := i.Layout.Subject(i.rows.Subject)
	switch {
	case len(i.rows.Images)+len(i.rows.Records) == 0:
	case !i.rows.Listed:
		i.finding(LedgerMissing, key, "images or records of the subject are in the ledger, and its list of users lacks it")
	case i.SubjectOf != nil && i.rows.UserID != "" && i.SubjectOf(i.rows.UserID) != i.rows.Subject:
		i.finding(LedgerDiffers, key, "the user id in the list of users is another subject's")
	}
}

// cited compares the records that outcomes cite with the ledger's records.
func (i *inspection) cited() {
	for _, cited := range i.rows.Cited {
		n := slices.IndexFunc(i.rows.Records, func(r store.RecordRow) bool { return r.Key == cited.Key })
		switch {
		case n < 0:
			i.finding(LedgerMissing, cited.Key, "an outcome cites the record, and the ledger's records lack it")
		case i.rows.Records[n].SHA256 != cited.SHA256:
			i.finding(LedgerDiffers, cited.Key, "an outcome cites the record with another hash than the ledger's records have")
		}
	}
}
