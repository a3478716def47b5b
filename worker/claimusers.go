package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/store"
)

const (
	// longestDueEvery: every fifth batch takes retries and rechecks, so that a
	// stream of new users cannot starve them.
	longestDueEvery = 5
	// longestPoll is the time between two looks at whether others in the run
	// have died or are done.
	longestPoll = 5 * time.Second
)

// archiveDue archives due users until nothing is left that the run may claim
// and no other process holds users of the run or is closing it. Should such a
// process die, this one takes its users over. Once admit ends, or this process
// has claimed as many users as it may, it claims no more and returns when the
// users in flight are done or their time is over; stopped says why, and is nil at
// the end of the run.
func (w *Worker) archiveDue(ctx, admit context.Context) (stopped, err error) {
	w.progress.phase("archive")
	ctx, span := startSpan(ctx, spanArchive)
	defer func() { endSpan(span, err) }()
	remaining, err := w.remaining(ctx)
	if err != nil {
		return nil, err
	}
	due := remaining.Due
	if w.Limit > 0 {
		due = min(due, int64(w.Limit))
	}
	w.progress.due(due)

	working, endWork := endsAfter(ctx, w.stop, w.Grace)
	defer endWork()
	working, endTimeBox := endsAfter(working, admit, finishingTime)
	defer endTimeBox()
	// The first error that concerns everybody ends the work on all users.
	group, working := errgroup.WithContext(working)
	claiming, stopClaiming := endsAfter(working, admit, 0)
	defer stopClaiming()
	defer w.imagePlaces.open(w.Concurrency)()

	queue := newUserQueue()
	for range usersInFlight(w.Concurrency) {
		group.Go(func() error {
			for next := range queue.users {
				if err := w.archiveUser(working, next.task, next.user); err != nil {
					stopClaiming()
					return err
				}
				queue.done()
			}
			return nil
		})
	}
	err = w.claimUsers(claiming, queue)
	close(queue.users)
	if failure := group.Wait(); failure != nil {
		return nil, failure
	}
	switch {
	case err == nil:
		return nil, nil
	case admit.Err() != nil && ctx.Err() == nil:
		return context.Cause(admit), nil // what failed after admit had ended does not matter
	case errors.Is(err, ErrLimit):
		return w.stoppedAtLimit(ctx)
	}
	return nil, err
}

// claimUsers claims users and queues them to be archived, until the run is finished,
// ctx ends, or this process has claimed as many as it may: ErrLimit.
func (w *Worker) claimUsers(ctx context.Context, queue *userQueue) error {
	// Users who were dropped because the heartbeat was lost do not count.
	claimed := int(w.progress.snapshot().Users)
	for batch := 1; ; batch++ {
		size := usersInFlight(w.Concurrency)
		if w.Limit > 0 {
			size = min(size, w.Limit-claimed)
		}
		if size <= 0 {
			return ErrLimit
		}
		tasks, users, err := w.claim(ctx, batch, size)
		if err != nil {
			return err
		}
		claimed += len(tasks)
		for _, task := range tasks {
			if err := queue.add(ctx, claimedUser{task, users[task.UserID]}); err != nil {
				return err
			}
		}
		if len(tasks) > 0 {
			continue
		}

		if queue.inFlight.Load() == 0 {
			finished, err := w.finished(ctx)
			if err != nil || finished {
				return err
			}
		}
		if err := queue.waitForUser(ctx); err != nil {
			return err
		}
	}
}

// stoppedAtLimit is why the work ended once this process had done as many users
// as it may: nil when they were all.
func (w *Worker) stoppedAtLimit(ctx context.Context) (stopped, err error) {
	finished, err := w.finished(ctx)
	if err != nil || finished {
		return nil, err
	}
	return ErrLimit, nil
}

// finished reports whether nothing is left in the run that this process could do
// or would have to wait for.
func (w *Worker) finished(ctx context.Context) (bool, error) {
	remaining, err := w.remaining(ctx)
	return err == nil && remaining.Due == 0 && remaining.Leased == 0 && !remaining.Closing, err
}

// claim leases at most size users and reads their rows.
func (w *Worker) claim(ctx context.Context, batch, size int) ([]store.Task, map[string]store.User, error) {
	order := store.NewestFirst
	if batch%longestDueEvery == 0 {
		order = store.LongestDue
	}
	tasks, err := ask(ctx, w.database, func() ([]store.Task, error) {
		return w.Ledger.Claim(ctx, w.run, w.process, order, size)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("claim users: %w", err)
	}
	if len(tasks) == 0 {
		return nil, nil, nil
	}

	ids := make([]string, len(tasks))
	for n, task := range tasks {
		ids[n] = task.UserID
	}
	users, err := ask(ctx, w.database, func() (map[string]store.User, error) {
		return w.Users.Lookup(ctx, ids)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("look up users: %w", err)
	}
	if len(users) == 0 && w.leftHeld > 0 {
		// Whether they left is what a person is to say.
		return nil, nil, ErrLeftHeld
	}
	return tasks, users, nil
}

func (w *Worker) remaining(ctx context.Context) (store.Remaining, error) {
	remaining, err := ask(ctx, w.database, func() (store.Remaining, error) {
		return w.Ledger.Remaining(ctx, w.run, w.process)
	})
	if err != nil {
		return remaining, fmt.Errorf("count what remains of the run: %w", err)
	}
	return remaining, nil
}
