package rebuild

import (
	"context"
	"errors"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// addStatements reads what was done with the archive. Statements of a sort that
// is unknown here are passed over: a later version of the program reads them.
func (r *Rebuilder) addStatements(ctx context.Context) error {
	for key, err := range audit.Keys(ctx, r.Bucket, r.Layout.Audits()) {
		if err != nil {
			return err
		}
		first, there := key.First()
		if !there {
			continue
		}
		if err := r.leaveOut(key.Key, r.addStatement(ctx, key.Key, first.VersionID)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rebuilder) addStatement(ctx context.Context, key, versionID string) error {
	body, _, err := audit.ReadSmall(ctx, r.Bucket, key, versionID)
	if errors.Is(err, store.ErrNotFound) {
		return audit.Damaged(key, "it is listed and cannot be read")
	}
	if err != nil {
		return err
	}
	statement, err := manifest.DecodeStatement(body)
	switch {
	case err != nil:
		return audit.Damaged(key, "%v", err)
	case statement.Export != nil:
		return r.Ledger.AddAccess(ctx, statement.Access(key, audit.HashOf(body)))
	case statement.Verification != nil:
		return r.Ledger.AddVerification(ctx, statement.Verified(key, audit.HashOf(body)))
	case statement.Exception != nil:
		return r.Ledger.AddExceptions(ctx, statement.Exceptions(key, audit.HashOf(body)))
	}
	return nil
}
