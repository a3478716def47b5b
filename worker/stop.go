package worker

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A process stops in two stages, and a context stands for each.
//
// The first is Worker.stop. Once it has ended, by a signal, the process takes on no more
// work: users in flight are finished, for the grace period at most; then the log is
// sealed and the run closed, for ClosingTime at most; then the process leaves, in
// LeavingTime. Nobody waits for a service that is away any more, and what is cut short
// the next process goes on with. MaxDuration and Limit are gentler: they end the taking
// on of work only, and nobody is in haste.
//
// The second is every function's own ctx. Once it has ended, by a second signal or because of a fault
// that concerns everybody, whatever is under way is dropped. A later run finds what
// it has stored.

// Why a process took on no more work before the end of its run.
var (
	// ErrTimeBox: Config.MaxDuration is over.
	ErrTimeBox = errors.New("the time for this process is over")
	// ErrLimit: this process has claimed Config.Limit users, and others are left.
	ErrLimit = errors.New("this process has archived as many users as it may")
	// ErrSignal: the process was told to stop.
	ErrSignal = errors.New("stopped by signal")
)

// errStopped is what a wait for a service that is away ends with at a stop.
var errStopped = fmt.Errorf("a service is away and the process is to stop: %w", context.Canceled)

// What a process that is told to stop has beyond the grace period.
const (
	// ClosingTime is for committing the last users, for sealing, and for closing its run.
	ClosingTime = 20 * time.Second
	// LeavingTime is for leaving the run and reading how it stands.
	LeavingTime = 5 * time.Second
)

// finishingTime is how long users in flight may take once MaxDuration is over: what
// the quota needs for them, and far more than that.
const finishingTime = 10 * time.Minute

// stopAt begins the worker's time, with the context that ends when it is to stop.
func (w *Worker) stopAt(stop context.Context) {
	w.began, w.stop = time.Now(), stop
	for _, service := range []*absence{&w.vendor.absence, &w.bucket.absence, &w.database.absence} {
		service.stop = stop.Done()
	}
}

// admission is a context that ends when no more work is to be taken on: with
// stop, or when MaxDuration is over.
func (w *Worker) admission() (context.Context, context.CancelFunc) {
	if w.MaxDuration == 0 {
		return context.WithCancel(w.stop)
	}
	return context.WithDeadlineCause(w.stop, w.began.Add(w.MaxDuration), ErrTimeBox)
}

// endsAfter is ctx for as long as that after stop has ended.
func endsAfter(ctx, stop context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	bounded, end := context.WithCancelCause(ctx)
	unwatch := context.AfterFunc(stop, func() {
		over := time.AfterFunc(after, func() { end(context.DeadlineExceeded) })
		context.AfterFunc(bounded, func() { over.Stop() })
	})
	return bounded, func() {
		unwatch()
		end(nil)
	}
}
