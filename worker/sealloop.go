package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"vlens-archiver/store"
)

// sealPoll is the time between two looks at whether another process has sealed
// what this one waits for.
const sealPoll = time.Second

// sealing is when this process seals, and what came of it. Between the start and
// the end of the loop its goroutine owns fault; otherwise the session does.
type sealing struct {
	records atomic.Int64  // new ones committed by this process
	enough  chan struct{} // holds one token when enough of them wait
	fault   error         // of the last seal; nil when it went well
}

// recorded counts records that wait to be sealed.
func (w *Worker) recorded(n int) {
	before := w.sealing.records.Add(int64(n)) - int64(n)
	if every := int64(w.SealRecords); (before+int64(n))/every > before/every {
		select {
		case w.sealing.enough <- struct{}{}:
		default:
		}
	}
}

// startSealing seals now, which makes up for a process that died, and then from
// time to time. The returned function ends that, waits for the seal under way,
// and may be called again.
func (w *Worker) startSealing(ctx context.Context) (end func()) {
	if w.Signing.IsZero() {
		return func() {}
	}
	ended := make(chan struct{}) // closed once no seal is to be begun any more
	var sealing sync.WaitGroup
	sealing.Go(func() {
		ticker := time.NewTicker(w.SealEvery)
		defer ticker.Stop()
		for {
			w.sealNow(ctx, false)
			if errors.Is(w.sealing.fault, ErrLogAlarm) {
				return // the archive goes on; the last seal says it again
			}
			select {
			case <-ended:
				return
			case <-ctx.Done():
				return
			case <-ticker.C:
			case <-w.sealing.enough:
			}
		}
	})
	return sync.OnceFunc(func() {
		close(ended)
		sealing.Wait()
	})
}

// sealNow puts all that waits now under a signed checkpoint, and reports whether
// it is. A seal that another process is at is waited for or left to it. What goes
// wrong does not stop the archive: it is the failure of this process at its end.
func (w *Worker) sealNow(ctx context.Context, wait bool) bool {
	if w.Signing.IsZero() {
		return false
	}
	sealed, err := w.seal(ctx, wait)
	w.sealing.fault = nil
	switch {
	case err == nil:
	case ctx.Err() != nil, errors.Is(err, errStopped):
		w.Log.Warn("sealing was cut short; the next process goes on with it", "event", "seal_cut", "run_id", w.run.ID)
	case errors.Is(err, ErrLogAlarm):
		w.sealing.fault = fmt.Errorf("seal the log: %w", err)
		w.Log.Error("the evidence log is not as it was left", "event", "log_alarm", "run_id", w.run.ID, "error", err.Error())
	default:
		w.sealing.fault = fmt.Errorf("seal the log: %w", err)
		w.Log.Warn("the log could not be sealed", "event", "seal_failed", "run_id", w.run.ID, "error", err.Error())
	}
	return sealed
}

// seal reports whether all that waited when it began is under a checkpoint.
func (w *Worker) seal(ctx context.Context, wait bool) (sealed bool, err error) {
	ctx, span := startSpan(ctx, spanSeal)
	defer func() { endSpan(span, err) }()
	state, err := w.logState(ctx)
	if err != nil {
		return false, err
	}
	entries := state.Entries + state.Waiting
	for state.Head.Size < entries || state.Runs > 0 {
		mine, err := w.sealOnce(ctx, entries)
		if err != nil || mine || !wait {
			return mine && err == nil, err
		}
		if err := pause(ctx, jitter(sealPoll)); err != nil {
			return false, err
		}
		if state, err = w.logState(ctx); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (w *Worker) logState(ctx context.Context) (store.LogState, error) {
	return ask(ctx, w.database, func() (store.LogState, error) { return w.Ledger.LogState(ctx) })
}

// sealLeftover seals what others left, when the run itself needs nothing more.
func (w *Worker) sealLeftover(ctx context.Context) error {
	if w.Signing.IsZero() {
		return nil
	}
	ctx, exit, err := w.enter(ctx)
	if err != nil {
		return err
	}
	defer exit()
	w.sealNow(ctx, false)
	return w.sealing.fault
}

// sealNotes tell people what is not under a signed checkpoint, and what to do.
func (w *Worker) sealNotes(state store.LogState) []string {
	unsealed := state.Unsealed()
	switch {
	case unsealed == 0:
		return nil
	case w.Signing.IsZero():
		return []string{fmt.Sprintf("the archive is unsealed: %d entries wait for the evidence log; "+
			"make a key with `vlens-archiver keygen`, set evidence.signing_key, and the next run seals them", unsealed)}
	case w.sealing.fault != nil:
		return []string{fmt.Sprintf("%d entries of the evidence log are not sealed; the next run tries again", unsealed)}
	}
	return nil
}
