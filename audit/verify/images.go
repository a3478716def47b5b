package verify

import (
	"maps"
	"slices"
	"strings"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

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
	version, recorded, there := i.find(key, image.VersionID)
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
// the record states.
func differingImage(stated, row store.Image) string {
	return differing(
		field{"kind", stated.Kind == row.Kind},
		field{"version_id", store.SameVersion(stated.VersionID, row.VersionID)},
		field{"bytes", stated.Bytes == row.Bytes},
		field{"media_type", stated.MediaType == row.MediaType},
		field{"width", stated.Width == row.Width},
		field{"height", stated.Height == row.Height},
		field{"sha256", stated.SHA256 == row.SHA256},
		field{"flags", slices.Equal(stated.Flags, row.Flags)},
		field{"fetched_at", manifest.Time(stated.FetchedAt).Equal(manifest.Time(row.FetchedAt))},
	)
}
