package verify

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// tilesAhead is how many bundles, each with its tile, are read at a time.
const tilesAhead = 8

// logWalk goes through the log once, bundle by bundle, with the entries as the
// bucket has them and as the ledger has them. One goroutine owns it.
type logWalk struct {
	*Verifier
	size  int64
	known int64 // size of the ledger's head
	rows  *logRows

	stored, ledger *tiledTree // over the bundles, and over the ledger's rows
	storedAtKnown  tlog.Hash  // root of stored at the known size
	tile           []byte     // of level 0, over the bundle at hand; nil when there is none

	absent        []Finding // whichever tree is right
	bundlesDiffer []Finding // if the ledger is right
	ledgerDiffers []Finding // if the bundles are
	tilesOfStored []Finding // tiles that are not stored's
	tilesOfLedger []Finding // and not ledger's
}

// page is one bundle of entries with the tile over it, as the bucket has them.
type page struct {
	bundleKey, tileKey string
	bundle, tile       []byte // nil when there is none
}

func (v *Verifier) walkLog(ctx context.Context, size, known int64) (*logWalk, error) {
	next, stop := iter.Pull2(v.Ledger.AuditLog(ctx))
	defer stop()
	w := &logWalk{Verifier: v, size: size, known: known, rows: &logRows{next: next}}
	w.stored = &tiledTree{emit: func(level int, n int64, hashes []tlog.Hash) error {
		return w.compareTile(ctx, level, n, hashes, true)
	}}
	w.ledger = &tiledTree{emit: func(level int, n int64, hashes []tlog.Hash) error {
		return w.compareTile(ctx, level, n, hashes, false)
	}}
	w.noteRoot()
	for first := int64(0); first < size; first += tilesAhead * manifest.TileWidth {
		pages, err := w.readPages(ctx, first)
		if err != nil {
			return nil, err
		}
		for n, p := range pages {
			if err := w.page(p, first+int64(n)*manifest.TileWidth); err != nil {
				return nil, err
			}
		}
	}
	if err := errors.Join(w.stored.finish(), w.ledger.finish()); err != nil {
		return nil, err
	}
	return w, w.notPublished()
}

func (w *logWalk) width(first int64) int { return int(min(manifest.TileWidth, w.size-first)) }

// readPages reads the next pages side by side.
func (w *logWalk) readPages(ctx context.Context, first int64) ([]page, error) {
	var pages []page
	for at := first; at < min(w.size, first+tilesAhead*manifest.TileWidth); at += manifest.TileWidth {
		tile := tlog.Tile{H: manifest.TileHeight, L: 0, N: at / manifest.TileWidth, W: w.width(at)}
		bundle := tile
		bundle.L = manifest.EntryLevel
		pages = append(pages, page{bundleKey: w.Layout.Tile(bundle), tileKey: w.Layout.Tile(tile)})
	}
	group, ctx := errgroup.WithContext(ctx)
	for n := range pages {
		p := &pages[n]
		group.Go(func() (err error) {
			p.bundle, err = w.part(ctx, p.bundleKey)
			return err
		})
		group.Go(func() (err error) {
			p.tile, err = w.part(ctx, p.tileKey)
			return err
		})
	}
	return pages, group.Wait()
}

// part reads a part of the log; nil when it is missing.
func (v *Verifier) part(ctx context.Context, key string) ([]byte, error) {
	body, err := v.read(ctx, key, "")
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	v.progress.objects.Add(1)
	return body, err
}

// page compares the entries of a bundle with the ledger's, and adds both to
// their trees. Where one side lacks an entry, the other's is taken, so that each
// damage is told once.
func (w *logWalk) page(p page, first int64) error {
	rows := make([]store.LogRow, w.width(first))
	for n := range rows {
		row, err := w.rows.at(first + int64(n))
		if err != nil {
			return err
		}
		rows[n] = row
		w.checkRow(first+int64(n), row, p.bundleKey)
	}
	entries := w.entries(p, len(rows))
	w.compareEntries(p.bundleKey, first, entries, rows)
	w.tile = p.tile
	for n, row := range rows {
		known, isHash := entryOf(row.SHA256)
		stored := known
		if entries != nil {
			stored = entries[n]
		}
		if !isHash {
			known = stored
		}
		if err := errors.Join(w.stored.add(stored), w.ledger.add(known)); err != nil {
			return err
		}
		w.noteRoot()
	}
	return nil
}

// entryOf reads the ledger's hash of an entry, and reports whether it is one.
func entryOf(sha256 string) (entry manifest.Entry, isHash bool) {
	sum, err := hex.DecodeString(sha256)
	if err != nil || len(sum) != len(entry) {
		return entry, false
	}
	return manifest.Entry(sum), true
}

// noteRoot keeps the root at the size that the ledger knows.
func (w *logWalk) noteRoot() {
	if w.stored.Size() == w.known {
		w.storedAtKnown = w.stored.Root()
	}
}

// entries are those of a bundle; nil when it cannot be used.
func (w *logWalk) entries(p page, width int) []manifest.Entry {
	if p.bundle == nil {
		w.absent = append(w.absent, Finding{LogMissing, p.bundleKey, "no entry bundle stands under the key"})
		return nil
	}
	entries, err := manifest.DecodeEntries(p.bundle)
	switch {
	case err == nil && len(entries) == width:
		return entries
	case len(p.bundle) < len(manifest.EncodeEntries(make([]manifest.Entry, width))):
		w.absent = append(w.absent, Finding{Truncated, p.bundleKey, fmt.Sprintf("it does not hold the %d entries that it must", width)})
	default:
		w.absent = append(w.absent, Finding{LogChanged, p.bundleKey, fmt.Sprintf("it does not hold the %d entries that it must", width)})
	}
	return nil
}

// compareEntries tells once of a bundle that is not what the ledger has.
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

// checkRow compares a row of the ledger's log with its records and runs. The
// hash of a run's SHA256SUMS is compared where that file is read.
func (w *logWalk) checkRow(index int64, row store.LogRow, bundleKey string) {
	switch {
	case row.Key == "":
		w.absent = bounded(w.absent, Finding{LedgerMissing, bundleKey, fmt.Sprintf("the ledger lacks entry %d of the log", index)})
	case !row.Known:
		w.found.add(Finding{LedgerMissing, row.Key, fmt.Sprintf("entry %d of the log, a %s, is unknown to the ledger", index, row.Kind)})
	case row.RecordSHA256 != "" && row.RecordSHA256 != row.SHA256:
		w.found.add(Finding{LedgerDiffers, row.Key, fmt.Sprintf("the ledger has another hash of it in records than at index %d of the log", index)})
	}
}

// notPublished looks at the rows beyond the published log, which must go on
// without a gap.
func (w *logWalk) notPublished() error {
	for index := w.size; ; index++ {
		row, err := w.rows.at(index)
		if err != nil || row.Key == "" && w.rows.ahead == nil {
			return err
		}
		w.checkRow(index, row, w.Layout.Checkpoint())
		if row.Key == "" {
			return nil // one gap is enough
		}
	}
}

// logRows reads the ledger's rows by their index.
type logRows struct {
	next  func() (store.LogRow, error, bool)
	ahead *store.LogRow // read, and not asked for yet
}

// at gives the row with this index; a row without a key when there is none. The
// indexes that are asked for go up.
func (r *logRows) at(index int64) (store.LogRow, error) {
	for {
		if r.ahead == nil {
			row, err, more := r.next()
			if err != nil || !more {
				return store.LogRow{}, err
			}
			r.ahead = &row
		}
		if r.ahead.Index > index {
			return store.LogRow{}, nil
		}
		row := *r.ahead
		r.ahead = nil
		if row.Index == index {
			return row, nil
		}
	}
}
