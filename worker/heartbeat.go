package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"vlens-archiver/store"
)

// startBeat begins the heartbeat. The context it returns ends with the parent,
// or with store.ErrProcessLost as its cause; the function ends both and waits.
func (w *Worker) startBeat(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	var beating sync.WaitGroup
	beating.Go(func() { w.beat(ctx, cancel) })
	return ctx, func() {
		cancel(nil)
		beating.Wait()
	}
}

// beat tells the ledger that this process lives, until ctx ends. When the
// ledger has not heard of it for so long that others may soon take its users,
// it ends the session with store.ErrProcessLost as the cause.
func (w *Worker) beat(ctx context.Context, lose context.CancelCauseFunc) {
	last := time.Now()
	ticker := time.NewTicker(w.Heartbeat)
	defer ticker.Stop()
	silence := time.NewTimer(w.Silence)
	defer silence.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-silence.C:
			lose(store.ErrProcessLost)
			return
		case <-ticker.C:
		}
		began := time.Now()
		beatCtx, cancel := context.WithDeadline(ctx, last.Add(w.Silence))
		err := w.Ledger.Beat(beatCtx, w.process, w.progress.counts())
		cancel()
		switch {
		case errors.Is(err, store.ErrProcessLost):
			lose(store.ErrProcessLost)
			return
		case err == nil:
			last = began
			silence.Reset(time.Until(last.Add(w.Silence)))
		case ctx.Err() == nil:
			w.Log.Warn("heartbeat failed", "event", "heartbeat_failed", "run_id", w.run.ID, "error", err.Error())
		}
	}
}
