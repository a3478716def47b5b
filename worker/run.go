package worker

import (
	"context"
	"errors"
	"fmt"

	"vlens-archiver/store"
)

// ErrInterrupted says that a run to be joined again was closed meanwhile, before all
// its users were done.
var ErrInterrupted = errors.New("the run was closed as interrupted")

// ErrLeftHeld says that the sync would have marked suspiciously many users as
// left and therefore marked none.
var ErrLeftHeld = errors.New("too many users are missing from the user query")

// Report is what a process knows of its run when it leaves it.
type Report struct {
	Totals store.RunTotals
	// AlreadyComplete: the run was closed before this process came.
	AlreadyComplete bool
	// Closed: this process closed the run and wrote its files.
	Closed bool
	// Interrupted are other runs, that nobody worked on any more and this process
	// closed.
	Interrupted []store.RunTotals
	// Log is how much of the archive is under a signed checkpoint.
	Log store.LogState
	// WorkLeft: users are still due.
	WorkLeft bool
	// Stopped is ErrTimeBox, ErrLimit, ErrSignal, or nil when the run came to its
	// end.
	Stopped error
	// Notes are for people: what they should know or do.
	Notes []string
}

// Run takes part in the run until nothing is left to do, until stop ends, or
// until a fault that concerns everybody. stop.go says what ends when.
//
// The error is nil when this process did its part, also when single users
// failed; the report is filled as far as it is known in either case.
func (w *Worker) Run(ctx, stop context.Context) (Report, error) {
	w.stopAt(stop)
	if err := w.open(ctx); err != nil {
		return Report{}, err
	}
	var report Report
	var part part
	var err error
	if w.run.Status == store.RunOpen {
		part, err = w.takePart(ctx)
		report = Report{Closed: part.closed, Interrupted: w.interrupted, Stopped: part.stopped}
	} else {
		err = w.sealLeftover(ctx)
		report = Report{AlreadyComplete: true}
	}
	if err == nil {
		err = w.sealing.fault
	}
	report.Totals, report.Log, err = w.leave(ctx, err)
	if unsealed := report.Log.Unsealed(); unsealed > 0 && w.Signing.IsZero() {
		w.Log.Warn("the archive is unsealed: evidence.signing_key is empty", "event", "archive_unsealed",
			"run_id", w.run.ID, "waiting", unsealed)
	}
	report.Notes = append(w.notes(report.Totals), w.sealNotes(report.Log)...)
	report.WorkLeft = report.Totals.DueLeft > 0
	if report.WorkLeft && err == nil && report.AlreadyComplete && report.Totals.Run.Status == store.RunInterrupted {
		err = fmt.Errorf("%w: run %q, with %d users left; begin another one for them, with another run id or none, and the same options",
			ErrInterrupted, w.run.ID, report.Totals.DueLeft)
	}
	if w.leftHeld > 0 && (err == nil || errors.Is(err, ErrLeftHeld)) {
		err = fmt.Errorf("%w: %d users would be marked as left, so none is; check source.users_sql, or run with --accept-left",
			ErrLeftHeld, w.leftHeld)
	}
	return report, err
}

// part is what a process did in its run.
type part struct {
	stopped error // why it stopped before the end, nil at the end
	closed  bool
}

// takePart works on the run until it is finished or the process must stop. A
// process that lost its heartbeat, because the database was away or because it
// was suspended, drops the users it had and comes back under a new process id.
func (w *Worker) takePart(ctx context.Context) (part, error) {
	for {
		part, err := w.session(ctx)
		switch stopped := w.stop.Err() != nil; {
		case ctx.Err() != nil:
			return part, err
		case stopped && errors.Is(err, context.Canceled):
			// That is no failure: the run stays open, and the next process closes it.
			w.Log.Warn("closing was cut short; the next process goes on with it", "event", "close_cut", "run_id", w.run.ID)
			part.stopped = context.Cause(w.stop)
			return part, nil
		case stopped, !errors.Is(err, store.ErrProcessLost):
			return part, err
		}
		w.Log.Warn("heartbeat lost; the users in flight are dropped and taken up again",
			"event", "process_lost", "run_id", w.run.ID, "process", w.process)
		w.lost, w.process = w.process, newProcess(w.WorkerName)
	}
}

// session is the part of one process id.
func (w *Worker) session(ctx context.Context) (part part, err error) {
	// Enter: from here on this process may hold users, as long as its heart beats.
	ctx, exit, err := w.enter(ctx)
	if err != nil {
		return part, err
	}
	defer exit()
	defer func() { err = lostOr(ctx, err) }()

	// Close the runs that nobody works on any more.
	if err := w.closeInterrupted(ctx); err != nil {
		return part, err
	}

	// Seal, from now on whenever enough is new: what is archived gets its place in
	// the signed log.
	endSealing := w.startSealing(ctx)
	defer endSealing()

	// Sync and archive, until nothing is left or the process is to stop.
	part.stopped, err = w.work(ctx)

	// Close: the run's files state what was done. Then all of it is sealed.
	endSealing()
	if err != nil {
		part.closed = w.closeRefused(ctx, err)
		return part, err
	}
	part.closed, err = w.closeOwn(ctx, part.stopped)
	if err == nil && !part.closed {
		w.sealNow(ctx, false)
	}
	return part, err
}

// enter makes this process known to the ledger and begins its heartbeat. The
// context ends with ctx, when the time for a stop is over, or when the heartbeat
// is lost, with store.ErrProcessLost as its cause. The function ends it and waits.
func (w *Worker) enter(ctx context.Context) (_ context.Context, exit func(), err error) {
	err = w.database.try(ctx, func() error {
		if err := w.leaveLost(ctx); err != nil {
			return err
		}
		return w.Ledger.Enter(ctx, w.process, w.WorkerName, w.run.ID)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("enter run %q: %w", w.run.ID, err)
	}
	bounded, end := endsAfter(ctx, w.stop, w.Grace+ClosingTime)
	living, endBeat := w.startBeat(bounded)
	return living, func() {
		endBeat()
		end()
	}, nil
}

// lostOr is the cause for which the session's context ended, when that is why
// the work in it failed.
func lostOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, store.ErrProcessLost) {
		return cause
	}
	return err
}

// work syncs the users and archives those who are due. Stopped says why it ended
// before all were done.
func (w *Worker) work(ctx context.Context) (stopped, err error) {
	admit, cancel := w.admission()
	defer cancel()

	// Sync: the ledger knows every user of the source, and who is due. It is done
	// whole or not at all, so a stop need not wait for it.
	syncing, endSync := endsAfter(ctx, admit, 0)
	synced, err := w.sync(syncing)
	endSync()
	if err != nil {
		if admit.Err() != nil && ctx.Err() == nil {
			return context.Cause(admit), nil
		}
		return nil, err
	}
	w.leftHeld = synced.LeftHeld

	// Archive: each user is done once its outcome is committed.
	return w.archiveDue(ctx, admit)
}
