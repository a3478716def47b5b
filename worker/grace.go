package worker

import (
	"context"
	"time"
)

const (
	// graceLook is the time between two looks at whether the grace is of use.
	graceLook = 250 * time.Millisecond
	// looksInVain is at how many looks in a row nothing in flight can be finished
	// before it is dropped. Between two steps of a user nobody asks a service.
	looksInVain = 3
	// partingTime is what a process that is told to stop has for sealing and for
	// closing its run, beyond the grace period.
	partingTime = 20 * time.Second
)

// withGrace is a context for users in flight: it ends with ctx, and after admit
// with the grace period, or as soon as all that is in flight waits for services
// that are away. The returned function ends it and waits for its timers.
func (w *Worker) withGrace(ctx, admit context.Context) (context.Context, func()) {
	return w.endAfter(ctx, admit, w.Grace, w.vendor, w.bucket, w.database)
}

// withParting is withGrace for what ends the part of a process: seals, and the
// files of runs. Once the process is told to stop it has the time of the users in
// flight and partingTime more, and a seal waits for no bucket or database that is
// away; run files do, until the time is over, since they are written inside a
// question to the ledger. What it does not finish, the next process does.
func (w *Worker) withParting(ctx, told context.Context) (context.Context, func()) {
	return w.endAfter(ctx, told, w.Grace+partingTime, w.bucket, w.database)
}

// endAfter is a context that ends with ctx, and after stop with the bound, or as
// soon as all that the services are asked waits in vain.
func (w *Worker) endAfter(ctx, stop context.Context, bound time.Duration, services ...*service) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-ctx.Done():
			return
		case <-stop.Done():
		}
		w.awaitBound(ctx, bound, services)
		cancel()
	}()
	return ctx, func() {
		cancel()
		<-ended
	}
}

// awaitBound returns when what is in flight has had the time it may take, or has
// no use for it.
func (w *Worker) awaitBound(ctx context.Context, bound time.Duration, services []*service) {
	over := time.NewTimer(bound)
	defer over.Stop()
	look := time.NewTicker(graceLook)
	defer look.Stop()
	for vain := 0; vain < looksInVain; {
		select {
		case <-ctx.Done():
			return
		case <-over.C:
			return
		case <-look.C:
		}
		if inVain(services) {
			vain++
		} else {
			vain = 0
		}
	}
	w.Log.Warn("nothing in flight can be finished while a service is away; it is dropped",
		"event", "stop_in_vain", "run_id", w.run.ID)
}

// inVain reports whether something is asked of the services now, and each
// question is one that nobody has answered at several tries.
func inVain(services []*service) bool {
	var asked, unanswered int64
	for _, s := range services {
		asked += s.asked.Load()
		unanswered += s.unanswered.Load()
	}
	return asked > 0 && asked == unanswered
}

// outlive is a context that ends a while after ctx has ended, or when its
// function is called.
func outlive(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, end := context.WithCancelCause(context.WithoutCancel(ctx))
	unwatch := context.AfterFunc(ctx, func() {
		over := time.AfterFunc(by, func() { end(context.DeadlineExceeded) })
		context.AfterFunc(longer, func() { over.Stop() })
	})
	return longer, func() {
		unwatch()
		end(nil)
	}
}
