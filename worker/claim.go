package worker

import (
	"context"
	"fmt"
	"sync/atomic"
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
	// nobodyFound is how many users of a batch must be missing, all of them, for it
	// to be the look-up that is wrong, and not users who went away since the sync.
	nobodyFound = 3
)

// ErrNobodyFound says that the source has none of the users who are due. Nobody
// gets an outcome for that.
var ErrNobodyFound = fmt.Errorf("%w: it returns none of the users who are due when asked for them by id; check source.lookup_sql and source.users_sql", store.ErrSource)

// archiveDue archives due users until nothing is left that the run may claim
// and no other process holds users of the run or is closing it; then finished is
// true. Should such a process die, what it was at is left to this one. When admit
// ends it claims no more and returns once the users in flight are done or
// the grace period is over.
func (w *Worker) archiveDue(ctx, admit context.Context) (finished bool, err error) {
	w.progress.phase("archive")
	ctx, span := startSpan(ctx, spanArchive)
	defer func() { endSpan(span, err) }()
	remaining, err := w.remaining(ctx)
	if err != nil {
		return false, err
	}
	w.progress.due(remaining.Due)

	working, endGrace := w.withGrace(ctx, admit)
	defer endGrace()
	// The first run-level fault of one user ends the work on all of them.
	group, working := errgroup.WithContext(working)
	claiming, stopClaiming := context.WithCancel(working)
	defer stopClaiming()
	defer context.AfterFunc(admit, stopClaiming)()

	finished, err = w.hand(claiming, func(task store.Task, user store.User, done func()) {
		group.Go(func() error {
			defer done()
			err := w.archiveUser(working, task, user)
			if err != nil {
				stopClaiming() // before the place of this user is free
			}
			return err
		})
	})
	if failure := group.Wait(); failure != nil {
		return false, failure
	}
	if !finished && admit.Err() != nil && ctx.Err() == nil {
		return false, nil // what went wrong since admit ended is of no account
	}
	return finished, err
}

// hand claims users and hands out each, at most as many at a time as may be in
// flight, until the run is finished or ctx ends. The receiver calls done once
// for each user.
func (w *Worker) hand(ctx context.Context, out func(task store.Task, user store.User, done func())) (finished bool, err error) {
	var inFlight atomic.Int64
	for batch := 1; ; batch++ {
		tasks, users, err := w.claim(ctx, batch)
		if err != nil {
			return false, err
		}
		for _, task := range tasks {
			if err := w.userSlots.Acquire(ctx, 1); err != nil {
				return false, err
			}
			inFlight.Add(1)
			out(task, users[task.UserID], func() {
				inFlight.Add(-1)
				w.userSlots.Release(1)
				select {
				case w.userDone <- struct{}{}:
				default:
				}
			})
		}
		if len(tasks) > 0 {
			continue
		}

		if inFlight.Load() == 0 {
			remaining, err := w.remaining(ctx)
			if err != nil {
				return false, err
			}
			if remaining.Due == 0 && remaining.Leased == 0 && !remaining.Closing {
				return true, nil
			}
		}
		if err := w.waitForUser(ctx); err != nil {
			return false, err
		}
	}
}

// claim leases a batch of users and reads their rows.
func (w *Worker) claim(ctx context.Context, batch int) ([]store.Task, map[string]store.User, error) {
	order := store.NewestFirst
	if batch%longestDueEvery == 0 {
		order = store.LongestDue
	}
	var tasks []store.Task
	err := w.database.try(ctx, storeAway, func(ctx context.Context) (err error) {
		tasks, err = w.Ledger.Claim(ctx, w.run, w.process, order, usersInFlight(w.Concurrency))
		return err
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
	var users map[string]store.User
	err = w.database.try(ctx, storeAway, func(ctx context.Context) (err error) {
		users, err = w.Users.Lookup(ctx, ids)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("look up users: %w", err)
	}
	if len(users) == 0 && len(tasks) >= nobodyFound {
		return nil, nil, fmt.Errorf("look up users: %w", ErrNobodyFound)
	}
	return tasks, users, nil
}

func (w *Worker) remaining(ctx context.Context) (store.Remaining, error) {
	var remaining store.Remaining
	err := w.database.try(ctx, storeAway, func(ctx context.Context) (err error) {
		remaining, err = w.Ledger.Remaining(ctx, w.run, w.process)
		return err
	})
	if err != nil {
		return remaining, fmt.Errorf("count what remains of the run: %w", err)
	}
	return remaining, nil
}

// waitForUser returns when one of the users in flight is done, and otherwise
// after a poll interval, in which another process may have died.
func (w *Worker) waitForUser(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, jitter(longestPoll*2/3))
	defer cancel()
	select {
	case <-w.userDone:
	case <-waiting.Done():
	}
	return ctx.Err()
}
