package audit

import (
	"context"
	"errors"
	"fmt"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// CheckArchive makes sure that the bucket holds the archive that the
// configuration speaks of, or store.ErrForeignArchive says what differs.
func CheckArchive(ctx context.Context, from Getter, layout manifest.Layout, identity store.ArchiveIdentity) error {
	key := layout.Archive()
	body, _, err := ReadSmall(ctx, from, key, "")
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("open archive: %w: there is no %q; check archive.bucket and archive.prefix", store.ErrForeignArchive, key)
	}
	if err != nil {
		return fmt.Errorf("open archive: %w", err)
	}
	there, err := manifest.DecodeArchive(body)
	if err != nil {
		return fmt.Errorf("open archive: %w: %q: %w", store.ErrForeignArchive, key, err)
	}
	if err := there.Accept(key, identity); err != nil {
		return fmt.Errorf("open archive: %w", err)
	}
	return nil
}
