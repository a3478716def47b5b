package worker

import (
	"context"
	"errors"
	"fmt"

	"vlens-archiver/store"
)

// closeOwn closes the run of this process if it is the one to do so, stopped
// being why it ends (nil at the end of the run), and reports whether it did.
//
// A process that was stopped leaves the run to others that live. Stopped before
// its time, by a signal or because the run is refused, it also leaves it open when
// somebody may come back to it.
func (w *Worker) closeOwn(ctx context.Context, stopped error) (bool, error) {
	err := w.database.try(ctx, func() error {
		return w.Ledger.Beat(ctx, w.process, w.counts())
	})
	if err != nil {
		return false, fmt.Errorf("close run %q: %w", w.run.ID, err)
	}
	if stopped == nil {
		return w.close(ctx, w.run, store.RunClosed)
	}
	onTime := errors.Is(stopped, ErrTimeBox) || errors.Is(stopped, ErrLimit)
	remaining, err := w.remaining(ctx)
	if err != nil || remaining.Others > 0 || !onTime && w.Rejoinable {
		return false, err
	}
	if onTime {
		return w.close(ctx, w.run, store.RunClosed)
	}
	return w.close(ctx, w.run, store.RunInterrupted)
}

// closeRefused closes the run of this process when fault says that the run is
// refused: its user query or its selection, both of which only a person can
// mend. It reports whether it did. Otherwise the next process closes the run.
func (w *Worker) closeRefused(ctx context.Context, fault error) bool {
	if !errors.Is(fault, store.ErrSource) && !errors.Is(fault, store.ErrSelection) {
		return false
	}
	closed, err := w.closeOwn(ctx, fault)
	if err != nil {
		w.Log.Warn("the refused run is left open; the next process closes it", "event", "close_failed",
			"run_id", w.run.ID, "error", err.Error())
	}
	return closed
}

// close writes the files of a run and closes it, unless another live process of
// the run is still at work or closing it already. It reports whether it did.
// Everything in the files comes from the ledger, so that any process can close
// any run. Once one has begun to, nobody adds to the run any more: should it die
// or fail, the rest of closing is all that is left to do.
func (w *Worker) close(ctx context.Context, run store.Run, status store.RunStatus) (mine bool, err error) {
	ctx, span := startSpan(ctx, spanClose)
	defer func() { endSpan(span, err) }()
	mine, err = ask(ctx, w.database, func() (bool, error) {
		return w.Ledger.BeginClose(ctx, run.ID, w.process)
	})
	if err != nil {
		return false, fmt.Errorf("close run %q: %w", run.ID, err)
	}
	if !mine {
		return false, nil
	}
	w.progress.phase("close")

	// Seal what the run archived, so that its summary can name a checkpoint that
	// covers all of it. The run is closed also when that fails.
	sealed := w.sealNow(ctx, true)

	// The files first. A process that dies between files leaves an open run;
	// the next one writes the rest and finds the others as they are. The ledger
	// says of the run what its files say, which nothing replaces.
	sums, status, err := w.writeRunFiles(ctx, run, status, sealed)
	if err == nil {
		err = w.database.try(ctx, func() error {
			return w.Ledger.FinishClose(ctx, run.ID, w.process, status, sums.RunObject)
		})
	}
	if err != nil {
		return false, fmt.Errorf("close run %q: %w", run.ID, err)
	}
	w.Log.Info("run closed", "event", "run_closed", "run_id", run.ID, "status", status)

	// Seal the run itself: its SHA256SUMS becomes an entry of the log, and the
	// checkpoint that covers it is put beside its files. A process that dies here
	// leaves that to the next one that seals.
	w.sealNow(ctx, true)

	// The page for people comes when nothing depends on it any more.
	w.writeReport(ctx, run, status)
	return true, nil
}

// closeInterrupted closes the runs that nobody works on any more, and keeps
// their totals for the report. One that cannot be closed is left to the next
// process, and keeps nobody from being archived; the ledger counts it
// (store.Figures.RunsUnclosed).
func (w *Worker) closeInterrupted(ctx context.Context) error {
	runs, err := ask(ctx, w.database, func() ([]store.Run, error) {
		return w.Ledger.Interrupted(ctx, w.run.ID)
	})
	if err != nil {
		return fmt.Errorf("look for interrupted runs: %w", err)
	}
	for _, run := range runs {
		err := w.closeLeft(ctx, run)
		switch outage := (*OutageError)(nil); {
		case err == nil:
		case ctx.Err() != nil, errors.Is(err, errStopped), errors.As(err, &outage):
			return err // it is not about this run
		default:
			w.Log.Warn("a run that nobody works on could not be closed; the next process tries again", "event", "close_failed",
				"run_id", run.ID, "error", err.Error())
		}
	}
	return nil
}

// closeLeft closes a run that nobody works on any more, unless somebody else does.
func (w *Worker) closeLeft(ctx context.Context, run store.Run) error {
	closed, err := w.close(ctx, run, store.RunInterrupted)
	if err != nil || !closed {
		return err
	}
	totals, err := ask(ctx, w.database, func() (store.RunTotals, error) {
		return w.Ledger.Totals(ctx, run.ID)
	})
	if err != nil {
		return fmt.Errorf("read totals of run %q: %w", run.ID, err)
	}
	w.interrupted = append(w.interrupted, totals)
	return nil
}
