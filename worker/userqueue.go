package worker

import (
	"context"
	"sync/atomic"

	"vlens-archiver/store"
)

// claimedUser is a user whom this process has leased, with the row of the source.
type claimedUser struct {
	task store.Task
	user store.User
}

// userQueue hands the users that one goroutine claims to those who archive them.
type userQueue struct {
	users    chan claimedUser
	inFlight atomic.Int64  // claimed and not done
	ended    chan struct{} // holds one token when a user was done since the last look
}

func newUserQueue() *userQueue {
	return &userQueue{users: make(chan claimedUser), ended: make(chan struct{}, 1)}
}

// add waits until somebody takes the user.
func (q *userQueue) add(ctx context.Context, user claimedUser) error {
	q.inFlight.Add(1)
	select {
	case q.users <- user:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *userQueue) done() {
	q.inFlight.Add(-1)
	select {
	case q.ended <- struct{}{}:
	default:
	}
}

// waitForUser returns when one of the users in flight is done, and otherwise
// after a poll interval, in which another process may have died.
func (q *userQueue) waitForUser(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, jitter(longestPoll*2/3))
	defer cancel()
	select {
	case <-q.ended:
	case <-waiting.Done():
	}
	return ctx.Err()
}
