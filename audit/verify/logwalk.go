package verify

import (
	"context"
	"errors"
	"iter"

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
	tile           []byte     // of level 0, over the bundle that is compared; nil when there is none

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
	w.stored = newTiledTree(func(level int, n int64, hashes []tlog.Hash) error {
		return w.compareTile(ctx, level, n, hashes, true)
	})
	w.ledger = newTiledTree(func(level int, n int64, hashes []tlog.Hash) error {
		return w.compareTile(ctx, level, n, hashes, false)
	})
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
// damage is one finding.
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

// noteRoot keeps the root at the size that the ledger knows.
func (w *logWalk) noteRoot() {
	if int64(w.stored.End()) == w.known {
		w.storedAtKnown = w.stored.root()
	}
}
