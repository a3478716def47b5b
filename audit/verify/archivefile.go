package verify

import (
	"context"
	"errors"
	"fmt"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// checkArchive compares archive.json with the ledger.
func (v *Verifier) checkArchive(ctx context.Context, l *listing) error {
	key := v.Layout.Archive()
	there, err := v.Ledger.Archive(ctx)
	begun := !errors.Is(err, store.ErrNotFound)
	if err != nil && begun {
		return err
	}
	listed, _, err := l.takeIf(func(next string) bool { return next == key })
	if err != nil {
		return err
	}
	version, ok := v.onlyVersion(listed)
	switch {
	case !ok && begun:
		v.found.add(Finding{Missing, key, "the ledger belongs to an archive"})
		return nil
	case !ok:
		return nil
	case !begun:
		v.found.add(Finding{LedgerMissing, key, "the ledger does not say which archive it belongs to"})
		return nil
	}
	body, err := v.read(ctx, key, version.VersionID)
	if err != nil {
		return v.unread(key, err)
	}
	there.Place = "" // the bucket does not state it
	identity, err := manifest.DecodeArchive(body)
	switch {
	case err != nil:
		v.found.add(Finding{sortOfBroken(err), key, err.Error()})
	case identity != there:
		v.found.add(Finding{Changed, key, fmt.Sprintf("it differs from the ledger: it %s", identity.Difference(there))})
	}
	return nil
}

// onlyVersion is the version of an object that was written create-only and
// whose version id nobody keeps: the oldest. Whatever lies over it is a finding.
func (v *Verifier) onlyVersion(key audit.Versions) (version store.Object, there bool) {
	if version, there = key.First(); there {
		if cover := cover(key, version); cover != "" {
			v.found.add(Finding{Hidden, key.Key, cover})
		}
	}
	return version, there
}
