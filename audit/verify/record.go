package verify

import (
	"context"
	"slices"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// record checks a record that the ledger has, and takes from it what it states.
func (i *inspection) record(ctx context.Context, row store.RecordRow) error {
	key := i.Layout.Record(i.rows.Subject, row.Transaction, row.Sequence)
	if row.Key != key {
		i.finding(LedgerDiffers, row.Key, "its row belongs to %q", key)
	}
	version, recorded, there := i.find(row.Key, row.VersionID)
	if !there || !i.sampled {
		i.unreadable[row.Transaction] = true
		if there && !recorded {
			i.finding(Changed, row.Key, "version %s was recorded and is gone", named(row.VersionID))
		}
		return nil
	}
	body, err := i.read(ctx, row.Key, version.VersionID)
	if finding, is := findingOf(row.Key, err); is {
		i.found = append(i.found, finding)
		i.unreadable[row.Transaction] = true
		return nil
	}
	if err != nil {
		return err
	}
	i.sealing(row, audit.HashOf(body))
	record, decodeErr := manifest.DecodeRecord(body)
	if !i.recordHash(row, body, decodeErr) {
		i.unreadable[row.Transaction] = true
		return nil
	}
	switch {
	case recorded:
	case version.VersionID == "":
		i.finding(LedgerDiffers, row.Key, "the ledger names version %s, and the bucket keeps no versions", row.VersionID)
	default: // were it the ledger that is wrong, objects.csv of the run would have another version
		i.finding(Restored, row.Key, "version %s was recorded and is gone; version %s has the recorded bytes", named(row.VersionID), named(version.VersionID))
	}
	if decodeErr != nil {
		i.finding(Changed, row.Key, "%s", decodeErr)
		i.unreadable[row.Transaction] = true
		return nil
	}
	i.heading(row, record)
	i.take(row, record)
	return nil
}

// recordHash compares the record's bytes with the ledger's hash, and asks the
// other witnesses which of the two is wrong. It reports whether the bytes are
// the recorded ones.
func (i *inspection) recordHash(row store.RecordRow, body []byte, decodeErr error) bool {
	hash := audit.HashOf(body)
	if hash == row.SHA256 {
		return true
	}
	witnessed := row.LogSHA256 == hash || slices.ContainsFunc(i.rows.Cited, func(c store.CitedRecord) bool {
		return c.Key == row.Key && c.SHA256 == hash
	})
	switch {
	case witnessed:
		i.finding(LedgerDiffers, row.Key, "the hash in the ledger's records is not that of the record, which is unchanged")
	case decodeErr != nil:
		i.finding(sortOfBroken(decodeErr), row.Key, "its SHA-256 is %s, %s was recorded: %s", hash, row.SHA256, decodeErr)
	default:
		i.finding(Changed, row.Key, "its SHA-256 is %s, %s was recorded", hash, row.SHA256)
	}
	return witnessed
}

// sealing compares the record with its entry in the log, as the ledger has it.
// That the log has the same is checked with the log.
func (i *inspection) sealing(row store.RecordRow, hash string) {
	switch {
	case row.LogIndex >= 0 && row.LogSHA256 != hash && hash == row.SHA256:
		i.finding(LogChanged, row.Key, "entry %d of the log, as the ledger has it, is another hash", row.LogIndex)
	case !i.sealed(row.LogIndex):
		i.finding(Unsealed, row.Key, "it waits for the next seal")
	}
}

// heading compares what a record says of itself with its row.
func (i *inspection) heading(row store.RecordRow, record manifest.Record) {
	place := manifest.SubjectObject{Subject: i.rows.Subject, Transaction: row.Transaction, Sequence: row.Sequence}
	if err := audit.InPlace(record, place); err != nil {
		i.finding(LedgerDiffers, row.Key, "the ledger has it elsewhere: %s", err)
	} else if !record.ArchivedAt.Equal(manifest.Time(row.ArchivedAt)) {
		i.finding(LedgerDiffers, row.Key, "the ledger's archived_at is not the record's")
	}
}

// take keeps what the record states of the images.
func (i *inspection) take(row store.RecordRow, record manifest.Record) {
	// A record that an attempt left which died before its commit is entered by a
	// later one, whose rows need not say the same of what is not stored.
	exact := record.RunID == row.RunID && slices.ContainsFunc(i.rows.Cited, func(c store.CitedRecord) bool { return c.Key == row.Key })
	for _, stated := range record.Images {
		image := stated.Stored()
		if image.State != store.ImageStored {
			i.others[row.Transaction] = append(i.others[row.Transaction], otherStatement{image, exact})
			continue
		}
		parts, ours := i.Layout.ParseSubjectObject(image.Key)
		if !ours || parts.Subject != i.rows.Subject || parts.Transaction != row.Transaction || parts.Kind != image.Kind ||
			!strings.HasPrefix(image.SHA256, parts.HashPrefix) || !store.HasExtension(image.MediaType, parts.Extension) {
			i.finding(Changed, row.Key, "it states %s under a key that is not the image's", image.Kind)
			continue
		}
		i.statements[statementKey{image.Key, image.Ref}] = image
	}
}
