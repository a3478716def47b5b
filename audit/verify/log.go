package verify

import (
	"context"
	"encoding/base64"
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
		v.found.add(Finding{NoLog, v.Layout.Checkpoint(), fmt.Sprintf("%d records and runs wait to be sealed", known.Unsealed())})
	case errors.Is(err, store.ErrNotFound):
		v.found.add(Finding{Missing, v.Layout.Checkpoint(), fmt.Sprintf("the ledger knows of one with %d entries", known.Head.Size)})
	case err != nil:
		return err
	}
	h, relied := v.headOfLog(body, known.Head)
	if relied {
		if err := v.checkTree(ctx, h, known.Head); err != nil {
			return err
		}
	}
	return v.checkTiles(ctx, l, h.size)
}

// headOfLog is the head against which the log is checked: that of the
// checkpoint, or the ledger's when the checkpoint cannot be relied on.
func (v *Verifier) headOfLog(body []byte, known store.LogHead) (h head, relied bool) {
	ledgers := head{size: known.Size}
	if known.Size > 0 {
		root, err := base64.StdEncoding.DecodeString(known.Root)
		if err != nil || len(root) != tlog.HashSize {
			v.found.add(Finding{LedgerDiffers, v.Layout.Checkpoint(), "the ledger's root of the log is none"})
			ledgers = head{}
		} else {
			ledgers.root = tlog.Hash(root)
		}
	}
	if body == nil {
		return ledgers, ledgers.size > 0
	}
	key := v.Layout.Checkpoint()
	h, unsigned, problem := v.readCheckpoint(body)
	v.log = &LogReport{Size: h.size, Root: base64.StdEncoding.EncodeToString(h.root[:]), Signature: "valid"}
	switch {
	case problem != "":
		v.found.add(Finding{Changed, key, problem})
		v.log = &LogReport{Signature: "invalid"}
		return ledgers, ledgers.size > 0
	case unsigned != "":
		v.found.add(Finding{Unsigned, key, unsigned})
		v.log.Signature = "invalid"
		if ledgers.size > 0 {
			return ledgers, true
		}
	case v.LogKey == nil:
		v.found.add(Finding{SignatureUnchecked, key, "the root was checked, who signed it was not"})
		v.log.Signature = "unchecked"
	}
	if h.size < ledgers.size {
		v.found.add(Finding{RolledBack, key, fmt.Sprintf("it has %d entries, one with %d was published", h.size, ledgers.size)})
		return ledgers, true
	}
	return h, true
}

// checkTree reads all entries of the log, from the bundles and from the ledger,
// and computes both trees. Which of them has the root of the head is right; what
// differs from it is a finding.
func (v *Verifier) checkTree(ctx context.Context, h head, known store.LogHead) error {
	v.logSize = h.size
	w, err := v.walkLog(ctx, h.size, known.Size)
	if err != nil {
		return err
	}
	v.progress.entries.Add(h.size)
	v.foundInLog(w.absent)

	key := v.Layout.Checkpoint()
	extends := func(at tlog.Hash) bool {
		return known.Size == 0 || known.Size > h.size || base64.StdEncoding.EncodeToString(at[:]) == known.Root
	}
	switch h.root {
	case w.stored.Root():
		v.foundInLog(w.tilesOfStored)
		if !extends(w.storedAtKnown) {
			// Each entry would differ from the ledger's.
			v.found.add(Finding{RolledBack, key, fmt.Sprintf("it does not extend the checkpoint with %d entries that the ledger knows", known.Size)})
			return nil
		}
		v.foundInLog(w.ledgerDiffers)
		if len(w.tilesOfStored) == 0 && len(w.absent) == 0 {
			v.tree = &logTree{size: h.size, root: h.root}
		}
	case w.ledger.Root():
		v.foundInLog(w.bundlesDiffer)
		v.foundInLog(w.tilesOfLedger)
		if len(w.tilesOfLedger) == 0 && len(w.absent) == 0 {
			v.tree = &logTree{size: h.size, root: h.root}
		}
	default:
		root := w.stored.Root()
		sort, detail := LogChanged, "the entries have the root %s, which is not the checkpoint's"
		if len(w.bundlesDiffer)+len(w.tilesOfStored) == 0 {
			// Bundles, tiles and ledger agree: the checkpoint is of another history.
			sort = RolledBack
		}
		v.found.add(Finding{sort, key, fmt.Sprintf(detail, base64.StdEncoding.EncodeToString(root[:]))})
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
