package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"vlens-archiver/store"
)

// beatTimeout is how long one heartbeat may take. Then its connection is given up,
// and there is time for others before the silence is too long.
const beatTimeout = 10 * time.Second

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
		beatCtx, cancel := context.WithDeadline(ctx, earliest(last.Add(w.Silence), began.Add(beatTimeout)))
		err := w.Ledger.Beat(beatCtx, w.process, w.counts())
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

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// counts are the requests of this process under the id that it has now.
func (w *Worker) counts() store.RunCounts {
	now := w.progress.snapshot().Requests
	for endpoint, n := range w.counted {
		now[endpoint] -= n
	}
	return store.RunCounts{Requests: now}
}

// leaveLost ends the process id that lost its heartbeat, if there is one: it keeps
// what was counted under it, and nothing of that is counted again.
func (w *Worker) leaveLost(ctx context.Context) error {
	if w.lost == "" {
		return nil
	}
	if err := w.Ledger.Leave(ctx, w.lost, w.counts()); err != nil {
		return err
	}
	w.lost, w.counted = "", w.progress.snapshot().Requests
	return nil
}
