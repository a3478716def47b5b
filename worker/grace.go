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
)

// withGrace is a context for users in flight: it ends with ctx, and after admit
// with the grace period, or as soon as all that is in flight waits for services
// that are away. The returned function ends it and waits for its timers.
func (w *Worker) withGrace(ctx, admit context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-ctx.Done():
			return
		case <-admit.Done():
		}
		w.awaitGrace(ctx)
		cancel()
	}()
	return ctx, func() {
		cancel()
		<-ended
	}
}

// awaitGrace returns when the users in flight have had the time they may take, or
// have no use for it.
func (w *Worker) awaitGrace(ctx context.Context) {
	over := time.NewTimer(w.Grace)
	defer over.Stop()
	look := time.NewTicker(graceLook)
	defer look.Stop()
	for inVain := 0; inVain < looksInVain; {
		select {
		case <-ctx.Done():
			return
		case <-over.C:
			return
		case <-look.C:
		}
		if w.inVain() {
			inVain++
		} else {
			inVain = 0
		}
	}
	w.Log.Warn("nothing in flight can be finished while a service is away; it is dropped",
		"event", "stop_in_vain", "run_id", w.run.ID)
}

// inVain reports whether something is asked of the services now, and each
// question is one that nobody has answered at several tries.
func (w *Worker) inVain() bool {
	var asked, unanswered int64
	for _, s := range []*service{w.vendor, w.bucket, w.database} {
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
