package verify

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store"
)

// sealed reports whether an entry is under the published checkpoint. Without a
// log nothing is, which is said once and not of every record.
func (v *Verifier) sealed(index int64) bool {
	return v.log == nil || index >= 0 && index < v.logSize
}

// checkLog checks the whole log: the checkpoint with its signature, the root
// computed again from the entry bundles, every tile, and the ledger's entries.
func (v *Verifier) checkLog(ctx context.Context, l *listing) error {
	known, err := v.Ledger.LogState(ctx)
	if err != nil {
		return err
	}
	listed, _, err := l.takeIf(func(key string) bool { return key == v.Layout.Checkpoint() })
	if err != nil {
		return err
	}
	body, err := v.publishedCheckpoint(ctx, listed)
	switch {
	case errors.Is(err, store.ErrNotFound) && known.Head.Size == 0:
		v.found.add(Finding{NoLog, v.Layout.Checkpoint(), fmt.Sprintf("%d entries wait to be sealed", known.Unsealed())})
	case errors.Is(err, store.ErrNotFound):
		v.found.add(Finding{Missing, v.Layout.Checkpoint(), fmt.Sprintf("the ledger knows of one with %d entries", known.Head.Size)})
	case err != nil:
		return err
	}
	head, relied := v.headOfLog(body, known.Head)
	if relied {
		if err := v.checkTree(ctx, head, known.Head); err != nil {
			return err
		}
	}
	return v.checkTiles(ctx, l, head.N)
}

// headOfLog is the state against which the log is checked: that of the
// checkpoint, or the ledger's when the checkpoint cannot be relied on.
func (v *Verifier) headOfLog(body []byte, known store.LogHead) (head tlog.Tree, relied bool) {
	key := v.Layout.Checkpoint()
	ledgers := tlog.Tree{N: known.Size}
	if known.Size > 0 {
		var err error
		if ledgers.Hash, err = tlog.ParseHash(known.Root); err != nil {
			v.found.add(Finding{LedgerDiffers, key, "the ledger's root of the log is none"})
			ledgers.N = 0
		}
	}
	if body == nil {
		return ledgers, ledgers.N > 0
	}
	c, unsigned, problem := v.readCheckpoint(body)
	v.log = &LogReport{Size: c.Size, Root: c.Root.String(), Signature: "valid"}
	switch {
	case problem != nil:
		v.found.add(Finding{Changed, key, problem.Error()})
		v.log = &LogReport{Signature: "invalid"}
		return ledgers, ledgers.N > 0
	case unsigned != nil:
		v.found.add(Finding{Unsigned, key, unsigned.Error()})
		v.log.Signature = "invalid"
		if ledgers.N > 0 {
			return ledgers, true
		}
	case v.LogKey == nil:
		v.found.add(Finding{SignatureUnchecked, key, "the root was checked, who signed it was not"})
		v.log.Signature = "unchecked"
	}
	if c.Size < ledgers.N {
		v.found.add(Finding{RolledBack, key, fmt.Sprintf("it has %d entries, one with %d was published", c.Size, ledgers.N)})
		return ledgers, true
	}
	return tlog.Tree{N: c.Size, Hash: c.Root}, true
}

// checkTree reads all entries of the log, from the bundles and from the ledger,
// and computes both trees. Which of them has the root of the head is right; what
// differs from it is a finding.
func (v *Verifier) checkTree(ctx context.Context, head tlog.Tree, known store.LogHead) error {
	v.logSize = head.N
	w, err := v.walkLog(ctx, head.N, known.Size)
	if err != nil {
		return err
	}
	v.progress.entries.Add(head.N)
	v.foundInLog(w.absent)

	key := v.Layout.Checkpoint()
	extends := func(at tlog.Hash) bool {
		return known.Size == 0 || known.Size > head.N || at.String() == known.Root
	}
	switch head.Hash {
	case w.stored.root():
		v.foundInLog(w.tilesOfStored)
		if !extends(w.storedAtKnown) {
			// Each entry would differ from the ledger's.
			v.found.add(Finding{RolledBack, key, fmt.Sprintf("it does not extend the checkpoint with %d entries that the ledger knows", known.Size)})
			return nil
		}
		v.foundInLog(w.ledgerDiffers)
		if len(w.tilesOfStored) == 0 && len(w.absent) == 0 {
			v.tree = &head
		}
	case w.ledger.root():
		v.foundInLog(w.bundlesDiffer)
		v.foundInLog(w.tilesOfLedger)
		if len(w.tilesOfLedger) == 0 && len(w.absent) == 0 {
			v.tree = &head
		}
	default:
		sort, detail := LogChanged, "the entries have the root %s, which is not the checkpoint's"
		if len(w.bundlesDiffer)+len(w.tilesOfStored) == 0 {
			// Bundles, tiles and ledger agree: the checkpoint is of another history.
			sort = RolledBack
		}
		v.found.add(Finding{sort, key, fmt.Sprintf(detail, w.stored.root())})
		v.foundInLog(w.bundlesDiffer)
		v.foundInLog(w.tilesOfStored)
	}
	return nil
}

// foundInLog adds findings and keeps the keys.
func (v *Verifier) foundInLog(found []Finding) {
	v.found.add(found...)
	for _, finding := range found {
		v.badParts[finding.Key] = true
	}
}
