package verify

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// rowAfter is how long a statement may be ahead of its row in the ledger: whoever
// makes one writes it while the row is not committed yet.
var rowAfter = 2 * time.Second

// stated is a statement in the bucket with the rows of the ledger that name it,
// of which there should be one.
type stated struct {
	version store.Object
	rows    []store.StatedRow
}

// checkStatements compares the statements about exports, verifications and
// exceptions with the ledger's rows of them.
func (v *Verifier) checkStatements(ctx context.Context, l *listing) error {
	ledgerID, err := v.Ledger.LedgerID(ctx)
	if err != nil {
		return err
	}
	all, err := v.pairStatements(ctx, l)
	if err != nil {
		return err
	}
	unnamed, err := v.compareStatements(ctx, ledgerID, all)
	if err != nil || len(unnamed) == 0 {
		return err
	}
	if err := v.nameLater(ctx, unnamed); err != nil {
		return err
	}
	if unnamed, err = v.compareStatements(ctx, ledgerID, unnamed); err != nil {
		return err
	}
	for _, s := range unnamed {
		v.found.add(Finding{LedgerMissing, s.version.Key, "the ledger has no row of what it states"})
	}
	return nil
}

// pairStatements reads the ledger first: what it has, the bucket must have.
func (v *Verifier) pairStatements(ctx context.Context, l *listing) ([]stated, error) {
	rows, err := v.statementRows(ctx)
	if err != nil {
		return nil, err
	}
	for key, of := range rows {
		if of[0].Exceptions != nil {
			v.placed[key] = of[0].LogIndex
		}
	}
	var pairs []stated
	for {
		key, more, err := l.take(v.Layout.Audits())
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		if version, there := v.onlyVersion(key); there {
			pairs = append(pairs, stated{version, rows[key.Key]})
			delete(rows, key.Key)
		}
	}
	for key := range rows {
		_, err := v.Bucket.Head(ctx, key, "") // it may have been written since the listing was read
		if errors.Is(err, store.ErrNotFound) {
			v.found.add(Finding{Missing, key, "the ledger names this statement"})
		} else if err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

// statementRows are the ledger's rows by the key of the statement that they name;
// with keys, only those of these.
func (v *Verifier) statementRows(ctx context.Context, keys ...string) (map[string][]store.StatedRow, error) {
	rows, err := v.Ledger.AuditStatements(ctx, keys...)
	byKey := make(map[string][]store.StatedRow)
	for _, row := range rows {
		byKey[row.Key()] = append(byKey[row.Key()], row)
	}
	return byKey, err
}

// nameLater asks the ledger once more for the rows of statements that have none.
func (v *Verifier) nameLater(ctx context.Context, unnamed []stated) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rowAfter):
	}
	keys := make([]string, len(unnamed))
	for n, s := range unnamed {
		keys[n] = s.version.Key
	}
	rows, err := v.statementRows(ctx, keys...)
	for n, key := range keys {
		unnamed[n].rows = rows[key]
	}
	return err
}

// checkPlaces looks whether the statements that get a place in the log have it. The
// log is checked after them.
func (v *Verifier) checkPlaces() {
	for key, index := range v.placed {
		if !v.sealed(index) {
			v.found.add(Finding{Unsealed, key, "it waits for the next seal"})
		}
	}
}

// compareStatements reads the statements and returns those that should have a
// row in this ledger and have none.
func (v *Verifier) compareStatements(ctx context.Context, ledgerID string, all []stated) ([]stated, error) {
	var mu sync.Mutex
	var unnamed []stated
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(v.Parallel)
	for _, s := range all {
		group.Go(func() error {
			body, err := v.read(ctx, s.version.Key, s.version.VersionID)
			switch {
			case err != nil:
				return v.unread(s.version.Key, err)
			case len(s.rows) > 0:
				v.compareStatement(s, body)
				return nil
			}
			statement, err := manifest.DecodeStatement(body)
			switch {
			case err != nil || !namesKey(statement, s.version.Key):
				v.found.add(Finding{Unexpected, s.version.Key, "it is no statement, and the ledger does not name it"})
			case !statement.Unrecorded && (statement.LedgerID == "" || statement.LedgerID == ledgerID):
				mu.Lock()
				defer mu.Unlock()
				unnamed = append(unnamed, s)
			}
			return nil
		})
	}
	return unnamed, group.Wait()
}
