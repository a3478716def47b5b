package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
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

// otherStatement is what a record says of an image that is not stored.
type otherStatement struct {
	image store.Image
	exact bool // the class is that of the ledger's rows
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

// standing finds the version of an object that was recorded.
func (i *inspection) standing(key, versionID string) (version store.Object, recorded, there bool) {
	o, listed := i.objects[key]
	if !listed {
		i.finding(Missing, key, "no object stands under the key")
		return store.Object{}, false, false
	}
	n := slices.IndexFunc(o.All, func(v store.Object) bool { return !v.DeleteMarker && v.VersionID == versionID })
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

// images compares the stored images of ledger, records and listing.
func (i *inspection) images() {
	expected := make(map[string]store.Image) // by key
	etags := make(map[string]string)
	for _, row := range i.rows.Images {
		if row.State != store.ImageStored {
			continue
		}
		image := row.Image
		stated, found := i.statements[statementKey{row.Key, row.Ref}]
		switch {
		case found:
			if differing := differingImage(stated, row.Image); differing != "" {
				i.finding(LedgerDiffers, row.Key, "the ledger's %s is not what the record states", differing)
			}
			image = stated
		case !i.unreadable[row.Transaction]:
			i.finding(LedgerDiffers, row.Key, "no record states what the ledger has stored")
		}
		if folder := i.Layout.Transaction(i.rows.Subject, row.Transaction); !strings.HasPrefix(row.Key, folder) {
			i.finding(LedgerDiffers, row.Key, "the key is not in the folder %q of its row", folder)
		}
		expected[row.Key], etags[row.Key] = image, row.ETag
	}
	for stated, image := range i.statements {
		if _, found := etags[stated.key]; !found {
			i.finding(LedgerMissing, stated.key, "a record states the image, and the ledger's images lack it")
			expected[stated.key] = image
		} else if !slices.ContainsFunc(i.rows.Images, func(row store.ImageRow) bool {
			return row.Key == stated.key && row.Ref == stated.ref && row.State == store.ImageStored
		}) {
			i.finding(LedgerMissing, stated.key, "a record states the image under reference %s, and the ledger's images lack that", stated.ref)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(expected)) {
		i.image(key, expected[key], etags[key])
	}
}

// image compares one stored image with the listing.
func (i *inspection) image(key string, image store.Image, etag string) {
	version, recorded, there := i.standing(key, image.VersionID)
	switch {
	case !there:
		return
	case !recorded && version.Size == image.Bytes && etag != "" && etag == version.ETag:
		i.finding(Restored, key, "version %s was recorded and is gone; version %s has the same size and ETag", named(image.VersionID), named(version.VersionID))
	case !recorded:
		i.finding(Changed, key, "version %s was recorded and is gone; version %s stands in its place", named(image.VersionID), named(version.VersionID))
	case version.Size < image.Bytes:
		i.finding(Truncated, key, "it has %d bytes, %d were recorded", version.Size, image.Bytes)
	case version.Size > image.Bytes:
		i.finding(Changed, key, "it has %d bytes, %d were recorded", version.Size, image.Bytes)
	default:
		i.expectations = append(i.expectations, expectation{
			Image: image, version: version, doubted: etag != "" && etag != version.ETag,
		})
	}
}

// differingImage names the first column in which a row of the ledger is not what
// the record states; "" when there is none.
func differingImage(stated, row store.Image) string {
	switch {
	case stated.Kind != row.Kind:
		return "kind"
	case stated.VersionID != row.VersionID:
		return "version_id"
	case stated.Bytes != row.Bytes:
		return "bytes"
	case stated.MediaType != row.MediaType:
		return "media_type"
	case stated.Width != row.Width:
		return "width"
	case stated.Height != row.Height:
		return "height"
	case stated.SHA256 != row.SHA256:
		return "sha256"
	case !slices.Equal(stated.Flags, row.Flags) && len(stated.Flags)+len(row.Flags) > 0:
		return "flags"
	case !manifest.Time(stated.FetchedAt).Equal(manifest.Time(row.FetchedAt)):
		return "fetched_at"
	}
	return ""
}

// notStored compares what ledger and records say of images that are not stored:
// the vendor listed none, or could not give it.
func (i *inspection) notStored() {
	rows := make(map[string][]store.Image)
	for _, row := range i.rows.Images {
		if row.State != store.ImageStored {
			rows[row.Transaction] = append(rows[row.Transaction], row.Image)
		}
	}
	for transaction, statements := range i.others {
		for _, statement := range statements {
			if !statement.exact {
				continue
			}
			if !slices.ContainsFunc(rows[transaction], statement.fits) {
				i.finding(LedgerDiffers, i.Layout.Transaction(i.rows.Subject, transaction),
					"the record states %s as %s, and the ledger's images have no such row", statement.image.Kind, statement.image.State)
			}
		}
	}
	for transaction, images := range rows {
		for _, image := range images {
			fits := func(statement otherStatement) bool { return statement.fits(image) }
			if !i.unreadable[transaction] && !slices.ContainsFunc(i.others[transaction], fits) {
				i.finding(LedgerDiffers, i.Layout.Transaction(i.rows.Subject, transaction),
					"the ledger has %s as %s, and no record states it so", image.Kind, image.State)
			}
		}
	}
}

func (s otherStatement) fits(row store.Image) bool {
	return s.image.Kind == row.Kind && s.image.State == row.State && s.image.Ref == row.Ref &&
		(s.image.Class == row.Class || !s.exact)
}
