package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"

	"vlens-archiver/internal/app"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

const (
	adviseForeign    = "restore archive.subject_key and the settings that the archive was begun with, or use another archive.prefix and an empty ledger for another archive"
	adviseUnreadable = "compare archive.json with a copy of it, and its versions; nothing may replace it"
	adviseLostLedger = "restore the ledger's database, or run `vlens-archiver rebuild`, which fills it from the bucket"
)

const archiveBucket = "archive.bucket"

func archiveChecks() []check {
	return []check{
		{
			name: archiveBucket, tried: "compare archive.json in the bucket with the configuration",
			remedies: []string{adviseForeign, adviseUnreadable, adviseBucketReach}, needs: []string{bucketAccess},
			run: (*examination).compareArchive,
		},
		{
			name: "archive.ledger", tried: "compare the archive that the ledger speaks of with the configuration",
			remedies: []string{adviseForeign, adviseLostLedger, adviseGrants}, needs: []string{ledgerSchema},
			run: (*examination).compareLedger,
		},
	}
}

// longestArchive bounds what is read of archive.json, in bytes.
const longestArchive = 64 << 10

func (e *examination) compareArchive(ctx context.Context) finding {
	key := e.layout().Archive()
	body, _, err := e.bucket.Get(ctx, key, "")
	if errors.Is(err, store.ErrNotFound) {
		return ok("no run has begun it").with("begun", false)
	}
	if err != nil {
		return failed(adviseBucketReach, err)
	}
	defer body.Close()
	content, err := io.ReadAll(io.LimitReader(body, longestArchive))
	if err != nil {
		return failed(adviseBucketReach, err)
	}
	there, err := manifest.DecodeArchive(content)
	if err != nil {
		return failed(adviseUnreadable, fmt.Errorf("%w: %q: %w", store.ErrForeignArchive, key, err))
	}
	e.begun = true
	if err := there.Accept(key, app.Identity(e.cfg, e.key)); err != nil {
		return failed(adviseForeign, err)
	}
	return ok("it is the archive of this subject key, tenant and origin").with("begun", true)
}

func (e *examination) compareLedger(ctx context.Context) finding {
	identity := app.Identity(e.cfg, e.key)
	found, err := e.ledger.CompareArchive(ctx, identity)
	switch {
	case errors.Is(err, store.ErrForeignArchive):
		return failed(adviseForeign, err)
	case err != nil:
		return failed(adviseGrants, err)
	case !found && e.begun:
		return warn(adviseLostLedger, "no run has begun it here, but the bucket holds an archive").with("begun", false)
	case !found:
		return ok("no run has begun it").with("begun", false)
	}
	return ok("it is the archive in %q", identity.Place).with("begun", true)
}
