package audit

import (
	"context"
	"errors"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// addStatements reads what was done with the archive. Statements of a sort that
// is unknown here are passed over: a later version of the program reads them.
func (r *Rebuilder) addStatements(ctx context.Context) error {
	var key, versionID string
	read := func() error {
		if key == "" {
			return nil
		}
		return r.leaveOut(key, r.addStatement(ctx, key, versionID))
	}
	for object, err := range r.Bucket.ListVersions(ctx, r.Layout.Audits()) {
		if err != nil {
			return err
		}
		if object.DeleteMarker {
			continue
		}
		if object.Key != key {
			if err := read(); err != nil {
				return err
			}
		}
		key, versionID = object.Key, object.VersionID // the oldest version comes last
	}
	return read()
}

func (r *Rebuilder) addStatement(ctx context.Context, key, versionID string) error {
	body, err := readSmall(ctx, r.Bucket, key, versionID)
	if errors.Is(err, store.ErrNotFound) {
		return damaged(key, "it is listed and cannot be read")
	}
	if err != nil {
		return err
	}
	statement, err := manifest.DecodeStatement(body)
	switch {
	case err != nil:
		return damaged(key, "%v", err)
	case statement.Export != nil:
		return r.Ledger.AddAccess(ctx, statement.Access(key, hexHash(body)))
	case statement.Verification != nil:
		return r.Ledger.AddVerification(ctx, statement.Verified(key, hexHash(body)))
	}
	return nil
}
