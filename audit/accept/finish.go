package accept

import (
	"context"
	"fmt"
	"path"
	"strings"

	"vlens-archiver/audit"
	"vlens-archiver/store/manifest"
)

// finish enters what stands in statements of this ledger and is not in it: the
// call that stated it died before the ledger had the rows. It returns the keys of
// these statements.
func (r Register) finish(ctx context.Context, ledgerID string) ([]string, error) {
	finished := []string{}
	entered, err := r.Ledger.ExceptionStatements(ctx)
	if err != nil {
		return finished, err
	}
	for key, err := range audit.Keys(ctx, r.Bucket, r.Layout.Audits()) {
		if err != nil {
			return finished, err
		}
		first, there := key.First()
		if !there || !isAct(key.Key) || entered[key.Key] {
			continue
		}
		body, _, err := audit.ReadSmall(ctx, r.Bucket, key.Key, first.VersionID)
		if err != nil {
			return finished, err
		}
		statement, err := manifest.DecodeStatement(body)
		switch {
		case err != nil || statement.Exception == nil || path.Base(key.Key) != statement.ID+".json":
			continue // verify names it
		case statement.LedgerID != ledgerID:
			continue
		}
		enters, err := r.Ledger.EnterExceptions(ctx, statement.Exceptions(key.Key, audit.HashOf(body)))
		if err != nil {
			return finished, fmt.Errorf("enter statement %q: %w", key.Key, err)
		}
		if enters {
			finished = append(finished, key.Key)
		}
	}
	return finished, nil
}

// isAct tells by its name whether a statement is of an act.
func isAct(key string) bool {
	for _, act := range acts {
		if strings.HasPrefix(path.Base(key), act+"-") {
			return true
		}
	}
	return false
}
