package verify

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// entries are those of a bundle; nil when it cannot be used.
func (w *logWalk) entries(p page, width int) []manifest.Entry {
	if p.bundle == nil {
		w.absent = append(w.absent, Finding{LogMissing, p.bundleKey, "no entry bundle stands under the key"})
		return nil
	}
	entries, err := manifest.DecodeEntries(p.bundle)
	if err == nil && len(entries) == width {
		return entries
	}
	sort := LogChanged
	if len(p.bundle) < len(manifest.EncodeEntries(make([]manifest.Entry, width))) {
		sort = Truncated
	}
	w.absent = append(w.absent, Finding{sort, p.bundleKey, fmt.Sprintf("it does not hold the %d entries that it must", width)})
	return nil
}

// compareEntries makes one finding of a bundle that is not what the ledger has.
func (w *logWalk) compareEntries(bundleKey string, first int64, entries []manifest.Entry, rows []store.LogRow) {
	if entries == nil {
		return
	}
	var inBundle, inLedger []string
	differs := -1
	for n, row := range rows {
		hash := hex.EncodeToString(entries[n][:])
		inBundle, inLedger = append(inBundle, hash), append(inLedger, row.SHA256)
		if row.SHA256 == "" || row.SHA256 == hash {
			continue
		}
		if differs < 0 {
			differs = n
		}
		w.ledgerDiffers = bounded(w.ledgerDiffers, Finding{
			LedgerDiffers, row.Key,
			fmt.Sprintf("the ledger has %s at index %d of the log, the log itself has %s", row.SHA256, row.Index, hash),
		})
	}
	if differs < 0 {
		return
	}
	sort, detail := LogChanged, fmt.Sprintf("entry %d is %s, the ledger has %s", first+int64(differs), inBundle[differs], inLedger[differs])
	slices.Sort(inBundle)
	slices.Sort(inLedger)
	if slices.Equal(inBundle, inLedger) {
		sort, detail = LogReordered, fmt.Sprintf("its entries stand in another order from entry %d on", first+int64(differs))
	}
	w.bundlesDiffer = bounded(w.bundlesDiffer, Finding{sort, bundleKey, detail})
}

func bounded(all []Finding, one Finding) []Finding {
	if len(all) < shownFindings {
		return append(all, one)
	}
	return all
}

// compareTile compares a tile of one of the trees with what the bucket has.
func (w *logWalk) compareTile(ctx context.Context, level int, n int64, hashes []tlog.Hash, ofStored bool) error {
	key := w.Layout.Tile(tlog.Tile{H: manifest.TileHeight, L: level, N: n, W: len(hashes)})
	body := w.tile
	if level > 0 {
		var err error
		if body, err = w.part(ctx, key); err != nil {
			return err
		}
	}
	want := manifest.EncodeTile(hashes)
	into := &w.tilesOfLedger
	if ofStored {
		into = &w.tilesOfStored
	}
	switch {
	case bytes.Equal(body, want):
	case body == nil:
		if ofStored {
			w.absent = bounded(w.absent, Finding{LogMissing, key, "no tile stands under the key"})
		}
	case len(body) < len(want):
		*into = bounded(*into, Finding{Truncated, key, fmt.Sprintf("it has %d bytes, not %d", len(body), len(want))})
	default:
		*into = bounded(*into, Finding{LogChanged, key, "its hashes are not those of the entries"})
	}
	return nil
}

// checkRow compares a row of the ledger's log with its records, runs and statements. The
// hash of a run's SHA256SUMS is compared where that file is read.
func (w *logWalk) checkRow(index int64, row store.LogRow, bundleKey string) {
	switch {
	case row.Key == "":
		w.absent = bounded(w.absent, Finding{LedgerMissing, bundleKey, fmt.Sprintf("the ledger lacks entry %d of the log", index)})
	case !row.Known:
		w.found.add(Finding{LedgerMissing, row.Key, fmt.Sprintf("entry %d of the log, a %s, is unknown to the ledger", index, row.Kind)})
	case row.SHA256There != "" && row.SHA256There != row.SHA256:
		w.found.add(Finding{LedgerDiffers, row.Key, fmt.Sprintf("the ledger has another hash of it beside the log than at index %d of it", index)})
	}
}

// entryOf reads the ledger's hash of an entry, and reports whether it is one.
func entryOf(sha256 string) (entry manifest.Entry, isHash bool) {
	sum, err := hex.DecodeString(sha256)
	if err != nil || len(sum) != len(entry) {
		return entry, false
	}
	return manifest.Entry(sum), true
}
