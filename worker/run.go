package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vlens-archiver/store"
)

// Why a worker stopped claiming before the end of its run.
var (
	// ErrTimeBox: Config.MaxDuration is over.
	ErrTimeBox = errors.New("the time for this process is over")
	// ErrLimit: this process has claimed Config.Limit users, and others are left.
	ErrLimit = errors.New("this process has archived as many users as it may")
	// ErrSignal: the process was told to stop.
	ErrSignal = errors.New("stopped by signal")
)

// ErrLeftHeld says that the sync would have marked suspiciously many users as
// left and therefore marked none.
var ErrLeftHeld = errors.New("too many users are missing from the user query")

// leaveTimeout bounds what is still written when a process leaves.
const leaveTimeout = 20 * time.Second

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

// Run takes part in the run until nothing is left to do, until admit ends, or
// until a fault that stops the whole run. When admit ends, users in flight are
// finished within the grace period; when ctx ends, they are dropped at once and
// a later run finds what they have stored.
//
// The error is nil when this process did its part, also when single users
// failed; the report is filled as far as it is known in either case.
func (w *Worker) Run(ctx, admit context.Context) (Report, error) {
	told := admit // to stop soon; a time box alone has no haste
	if w.MaxDuration > 0 {
		var cancel context.CancelFunc
		admit, cancel = context.WithTimeoutCause(admit, w.MaxDuration, ErrTimeBox)
		defer cancel()
	}

	if err := w.open(ctx); err != nil {
		return Report{}, err
	}
	var report Report
	var part part
	var err error
	if w.run.Status == store.RunOpen {
		part, err = w.takePart(ctx, told, admit)
		report = Report{Closed: part.closed, Interrupted: w.interrupted, Stopped: part.stopped}
	} else {
		err = w.sealLeftover(ctx, told)
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
	report.Notes = append(w.notes(), w.sealNotes(report.Log)...)
	report.WorkLeft = report.Totals.DueLeft > 0
	if part.synced.LeftHeld > 0 && (err == nil || errors.Is(err, ErrNobodyFound)) {
		err = fmt.Errorf("%w: %d users would be marked as left, so none is; check source.users_sql, or run with --accept-left",
			ErrLeftHeld, part.synced.LeftHeld)
	}
	return report, err
}

// part is what a process did in its run.
type part struct {
	synced  store.SyncResult
	stopped error // why it stopped before the end, nil at the end
	closed  bool
}

// takePart works on the run until it is finished or the process must stop. A
// process that lost its heartbeat, because the database was away or because it
// was suspended, drops the users it had and comes back under a new process id.
func (w *Worker) takePart(ctx, told, admit context.Context) (part, error) {
	for {
		part, err := w.session(ctx, told, admit)
		if !errors.Is(err, store.ErrProcessLost) || ctx.Err() != nil || admit.Err() != nil {
			return part, err
		}
		w.Log.Warn("heartbeat lost; the users in flight are dropped and taken up again",
			"event", "process_lost", "run_id", w.run.ID, "process", w.process)
		w.process = newProcess(w.WorkerName)
	}
}

// session is the part of one process id.
func (w *Worker) session(ctx, told, admit context.Context) (part part, err error) {
	// Enter: from here on this process may hold users, as long as it beats.
	err = w.database.try(ctx, storeAway, func(ctx context.Context) error {
		return w.Ledger.Enter(ctx, w.process, w.WorkerName, w.run.ID)
	})
	if err != nil {
		return part, fmt.Errorf("enter run %q: %w", w.run.ID, err)
	}
	ctx, endBeat := w.startBeat(ctx)
	defer endBeat()
	defer func() { err = lostOr(ctx, err) }()
	parting, endParting := w.withParting(ctx, told)
	defer endParting()

	if err := w.closeInterrupted(parting); err != nil {
		return w.parted(ctx, parting, told, part, err)
	}

	// Seal, from now on whenever enough is new: what is archived gets its place in
	// the signed log.
	endSealing := w.startSealing(parting)
	defer endSealing()

	// Sync: the ledger knows every user of the source, and who is due. It is done
	// whole or not at all, so a stop need not wait for it.
	syncing, stopSync := context.WithCancel(ctx)
	defer stopSync()
	defer context.AfterFunc(admit, stopSync)()
	if part.synced, err = w.sync(syncing); err != nil && admit.Err() != nil && ctx.Err() == nil {
		endSealing()
		part.stopped = context.Cause(admit)
		part.closed, err = w.finish(parting, part.stopped)
		return w.parted(ctx, parting, told, part, err)
	}
	if err != nil {
		endSealing()
		part.closed = w.closeRefused(parting, err)
		return part, err
	}

	// Archive: each user is done once its outcome is committed.
	part.stopped, err = w.archiveDue(ctx, admit)
	if err != nil {
		endSealing()
		part.closed = w.closeRefused(parting, err)
		return part, err
	}

	// Close: the run's files state what was done. Then all of it is sealed.
	endSealing()
	part.closed, err = w.finish(parting, part.stopped)
	return w.parted(ctx, parting, told, part, err)
}

// finish closes the run if this process is the one to do so, stopped being why
// it ends, and seals what it leaves.
func (w *Worker) finish(ctx context.Context, stopped error) (closed bool, err error) {
	closed, err = w.closeOwn(ctx, stopped)
	if err == nil && !closed {
		w.sealNow(ctx, false)
	}
	return closed, err
}

// parted is the part of a process that was closing runs when err came. If it was
// cut short because the process is to stop, that is no failure: the run stays
// open, and the next process closes it.
func (w *Worker) parted(ctx, parting, told context.Context, part part, err error) (part, error) {
	if parting.Err() == nil || ctx.Err() != nil || !errors.Is(err, context.Canceled) {
		return part, err
	}
	w.Log.Warn("closing was cut short; the next process goes on with it", "event", "close_cut", "run_id", w.run.ID)
	part.stopped = context.Cause(told)
	return part, nil
}

func (w *Worker) sync(ctx context.Context) (result store.SyncResult, err error) {
	w.progress.phase("sync")
	ctx, span := startSpan(ctx, spanSync)
	defer func() { endSpan(span, err) }()
	err = w.database.try(ctx, storeAway, func(ctx context.Context) (err error) {
		result, err = w.Users.Sync(ctx, store.SyncRequest{
			RunID:            w.run.ID,
			Process:          w.process,
			Key:              w.Key,
			AllowPersonalIDs: w.AllowPersonalIDs,
			AcceptLeft:       w.AcceptLeft,
		})
		return err
	})
	if err != nil {
		return result, fmt.Errorf("sync users: %w", err)
	}
	w.Log.Info("users synced", "event", "users_synced", "run_id", w.run.ID,
		"users", result.Users, "new", result.New, "changed", result.Changed,
		"returned", result.Returned, "left", result.Left, "left_held", result.LeftHeld)
	return result, nil
}

// leave ends this process's part, frees the users it still holds, and reads how
// run and log stand. It does so also after a failure, which it passes on, and
// outlives the cancellation of the run under a time limit of its own.
func (w *Worker) leave(ctx context.Context, failure error) (store.RunTotals, store.LogState, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	err := w.lastWords(ctx, failure, func(ctx context.Context) error {
		return w.Ledger.Leave(ctx, w.process, w.progress.counts())
	})
	if err != nil && failure == nil {
		failure = fmt.Errorf("leave run %q: %w", w.run.ID, err)
	}
	var totals store.RunTotals
	err = w.lastWords(ctx, failure, func(ctx context.Context) (err error) {
		totals, err = w.Ledger.Totals(ctx, w.run.ID)
		return err
	})
	if err != nil && failure == nil {
		failure = fmt.Errorf("read totals of run %q: %w", w.run.ID, err)
	}
	var log store.LogState
	err = w.lastWords(ctx, failure, func(ctx context.Context) (err error) {
		log, err = w.Ledger.LogState(ctx)
		return err
	})
	if err != nil && failure == nil {
		failure = fmt.Errorf("read the state of the log: %w", err)
	}
	return totals, log, failure
}

// lastWords speaks to the ledger, and after a failure, which may well be the
// ledger's, does so only once.
func (w *Worker) lastWords(ctx context.Context, failure error, op func(context.Context) error) error {
	if failure != nil {
		return op(ctx)
	}
	return w.database.try(ctx, storeAway, op)
}

func (w *Worker) notes() []string {
	if refused, _ := w.unnamed.hopeless(); refused {
		return []string{"Vlens refuses images without a transaction id and its listing tells none: add transaction_id to source.users_sql"}
	}
	return nil
}

// lostOr is the cause for which the session's context ended, when that is why
// the work in it failed.
func lostOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, store.ErrProcessLost) {
		return cause
	}
	return err
}
