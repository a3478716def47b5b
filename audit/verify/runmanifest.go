package verify

import (
	"context"
	"io"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// manifest compares manifest.jsonl.gz with the ledger's outcomes.
func (r *runInspection) manifest(ctx context.Context, in io.Reader) (problem, err error) {
	return lineByLine(
		r.Ledger.AuditRunUsers(ctx, r.run.ID), func(user store.RunUserRow) string { return string(user.Subject) },
		audit.ManifestLines(in), func(line manifest.Line) string { return string(line.Subject) },
		func(user store.RunUserRow, line manifest.Line) error { r.line(line, user); return nil })
}

// line compares one user of the manifest with the ledger's outcome.
func (r *runInspection) line(line manifest.Line, user store.RunUserRow) {
	if differs := differing(
		field{"outcome", line.Outcome == user.Outcome},
		field{"state", line.State == user.State},
		field{"class", audit.OrEmpty(line.Class) == user.Class},
		field{"transaction_id", audit.OrEmpty(line.TransactionID) == audit.OrEmpty(manifest.TransactionID(user.Transaction))},
		field{"record_key", audit.OrEmpty(line.RecordKey) == user.Record.Key},
		field{"record_sha256", audit.OrEmpty(line.RecordSHA256) == user.Record.SHA256},
		field{"requests", line.Requests == user.Requests},
	); differs != "" {
		r.differ(manifest.RunManifest, "the ledger's %s of subject %s is not what the manifest states", differs, line.Subject)
	}
	for _, image := range line.Images {
		if image.State != store.ImageStored || image.Key == nil || image.SHA256 == nil || image.Bytes == nil {
			continue
		}
		if stored := user.Stored[*image.Key]; stored != (store.StoredBytes{SHA256: *image.SHA256, Bytes: *image.Bytes}) {
			r.differ(manifest.RunManifest, "the manifest states %q as stored, and the ledger does not have it so", *image.Key)
		}
	}
}
