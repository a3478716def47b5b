package verify

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// manifest compares manifest.jsonl.gz with the ledger's outcomes.
func (r *runInspection) manifest(ctx context.Context, in io.Reader) (problem, err error) {
	unzipped, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("it is not compressed as it should be: %w", err), nil
	}
	users, stop := iter.Pull2(r.Ledger.AuditRunUsers(ctx, r.run.ID))
	defer stop()
	stated := lines(unzipped)
	for stated.Scan() {
		var line manifest.Line
		if err := json.Unmarshal(stated.Bytes(), &line); err != nil {
			return fmt.Errorf("a line is no JSON: %w", err), nil
		}
		user, err, more := users()
		switch {
		case err != nil:
			return nil, err
		case !more:
			return fmt.Errorf("it has subject %s, and the ledger has no outcome of it in this run", line.Subject), nil
		case user.Subject != line.Subject:
			return fmt.Errorf("it has subject %s where the ledger has %s", line.Subject, user.Subject), nil
		}
		r.line(line, user)
	}
	if err := stated.Err(); err != nil {
		return fmt.Errorf("it breaks off: %w", err), nil
	}
	user, err, more := users()
	if err != nil {
		return nil, err
	}
	if more {
		return fmt.Errorf("it lacks subject %s, whose outcome the ledger has", user.Subject), nil
	}
	return nil, nil
}

// line compares one user of the manifest with the ledger's outcome.
func (r *runInspection) line(line manifest.Line, user store.RunUserRow) {
	differs := ""
	named := manifest.TransactionID(user.Transaction)
	switch {
	case line.Outcome != user.Outcome:
		differs = "outcome"
	case audit.OrEmpty(line.Class) != user.Class:
		differs = "class"
	case audit.OrEmpty(line.TransactionID) != audit.OrEmpty(named):
		differs = "transaction_id"
	case audit.OrEmpty(line.RecordKey) != user.Record.Key:
		differs = "record_key"
	case audit.OrEmpty(line.RecordSHA256) != user.Record.SHA256:
		differs = "record_sha256"
	case line.Requests != user.Requests:
		differs = "requests"
	}
	if differs != "" {
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
