package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// ErrClockSkew says that the clock here and the database's disagree.
var ErrClockSkew = errors.New("the clock of this machine is wrong")

// open makes sure that configuration, bucket and ledger speak of one archive,
// and opens or joins the run. Nothing is asked of the vendor before. A service
// that is away now is an error at once: whoever starts a run is told, and
// nothing is under way that would be worth waiting for.
func (w *Worker) open(ctx context.Context) (err error) {
	ctx, span := startSpan(ctx, spanOpen)
	defer func() { endSpan(span, err) }()
	if err := w.checkClock(ctx); err != nil {
		return err
	}

	// Look before writing: archive.json cannot be taken back, so it is put only
	// where neither bucket nor ledger belongs to something else.
	found, err := w.compareBucket(ctx)
	if err != nil {
		return fmt.Errorf("open bucket: %w", err)
	}
	identity := w.Identity
	identity.Place = w.Bucket.Location().Bucket + "/" + w.Layout.Prefix
	if err := w.Ledger.OpenArchive(ctx, identity); err != nil {
		return fmt.Errorf("open ledger: %w", err)
	}
	if !found {
		if err := w.beginBucket(ctx); err != nil {
			return fmt.Errorf("open bucket: %w", err)
		}
	}

	run, err := w.Ledger.OpenRun(ctx, w.Config.Run)
	if err != nil {
		return fmt.Errorf("open run %q: %w", w.Config.Run.ID, err)
	}
	w.run = run
	w.Log.Info("run opened", "event", "run_opened", "run_id", run.ID, "kind", run.Kind, "status", run.Status, "process", w.process)
	return nil
}

func (w *Worker) checkClock(ctx context.Context) error {
	asked := time.Now()
	there, err := w.Ledger.Clock(ctx)
	if err != nil {
		return fmt.Errorf("read the clock of the ledger: %w", err)
	}
	skew := asked.Add(time.Since(asked) / 2).Sub(there)
	if skew.Abs() > store.LargestSkew {
		return fmt.Errorf("%w: it differs from the database's by %s; set it, for example with NTP", ErrClockSkew, skew.Round(time.Millisecond))
	}
	return nil
}

// compareBucket compares archive.json with the configuration, and reports
// whether there is one.
func (w *Worker) compareBucket(ctx context.Context) (found bool, err error) {
	key := w.Layout.Archive()
	body, _, err := w.readOnce(ctx, key, "")
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	identity, err := manifest.DecodeArchive(body)
	if err != nil {
		return true, fmt.Errorf("%w: %q: %w", store.ErrForeignArchive, key, err)
	}
	return true, identity.Accept(key, w.Identity)
}

// beginBucket writes archive.json. Of two first runs at once with different
// configurations, the create-only write lets one through.
func (w *Worker) beginBucket(ctx context.Context) error {
	body, err := manifest.EncodeArchive(w.Identity)
	if err != nil {
		return err
	}
	_, _, err = w.Bucket.Put(ctx, putRequest(w.Layout.Archive(), "application/json", body))
	if !errors.Is(err, store.ErrExists) {
		return err
	}
	if _, differ := w.compareBucket(ctx); differ != nil {
		return differ
	}
	return err
}
