package verify

import (
	"context"
	"strings"
)

// strays are objects outside the layout.
func (v *Verifier) strays(l *listing, outside func(key string) bool) error {
	for {
		o, ok, err := l.takeIf(outside)
		if err != nil || !ok {
			return err
		}
		if _, there := o.Latest(); there && !strings.HasPrefix(o.Key, v.Layout.Canaries()) {
			v.found.add(Finding{Unexpected, o.Key, "the layout of an archive has no such key"})
		}
	}
}

// checkUnbacked looks for claims of the ledger that nothing backs.
func (v *Verifier) checkUnbacked(ctx context.Context) error {
	for claim, err := range v.Ledger.AuditUnbacked(ctx) {
		switch {
		case err != nil:
			return err
		case claim.RecordKey != "":
			v.found.add(Finding{LedgerMissing, claim.RecordKey, "an outcome cites the record, and the ledger's records lack it"})
		default:
			v.found.add(Finding{LedgerDiffers, v.Layout.Subject(claim.Subject), "the subject is archived, and the ledger has no record of it"})
		}
	}
	return nil
}
