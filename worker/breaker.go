package worker

import (
	"errors"
	"fmt"
	"sync"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// sameEndsInRow is how many users may end in a row for one and the same cause
// that concerns everybody if it lasts.
const sameEndsInRow = 20

// ErrBreaker says that the run stopped so as not to spend the quota on users of
// whom nothing can be stored, all for the same cause.
var ErrBreaker = errors.New("one user after the other ends for the same cause")

// breaker watches for a cause that meets everybody.
type breaker struct {
	mu    sync.Mutex
	last  cause
	inRow int
}

// cause is why nothing is stored of a user.
type cause struct {
	class  store.Class
	vanish store.Outcome // not_found or no_images; "" otherwise
	vendor vlens.Error   // endpoint, fault, status and code; zero when the vendor is not why
}

// watch takes in how a user ended, and returns ErrBreaker when it was one too
// many. Somebody of whom something is stored is no sign of trouble for everybody,
// nor is what has a permanent meaning, except a refusal.
func (b *breaker) watch(task store.Task, end ending) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch vanished := endsVanished(end); {
	case end.class == store.ClassNoIdentifier:
		return nil // nobody was asked
	case vanished && task.HasImages, !vanished && endsSuspicious(end):
		return b.count(end)
	case vanished && b.last.vanished():
		return nil // somebody new says nothing of those who were archived
	}
	b.inRow = 0
	return nil
}

// endsVanished reports whether a user ended so that, of somebody who was archived,
// it means that the vendor no longer has what it had.
func endsVanished(end ending) bool {
	return end.outcome == store.OutcomeNotFound || end.outcome == store.OutcomeNoImages ||
		end.outcome == store.OutcomeFailed && end.class == store.ClassGone
}

// endsSuspicious reports whether a user failed for what would meet others, too.
func endsSuspicious(end ending) bool {
	if end.outcome != store.OutcomeFailed {
		return false
	}
	byVendor := end.failure != nil && !end.class.Settled() && (!end.failure.Permanent || refusesAccount(end.failure))
	return byVendor || end.class == store.ClassStorageError || end.class == store.ClassInternal
}

func (b *breaker) count(end ending) error {
	why := causeOf(end)
	if b.last != why {
		b.last, b.inRow = why, 0
	}
	if b.inRow++; b.inRow < sameEndsInRow {
		return nil
	}
	return why.explain(b.inRow, end.failure)
}

func causeOf(end ending) cause {
	why := cause{class: end.class}
	if end.outcome == store.OutcomeNotFound || end.outcome == store.OutcomeNoImages {
		why.vanish = end.outcome
	}
	if e := end.failure; e != nil {
		why.vendor = vlens.Error{Endpoint: e.Endpoint, Fault: e.Fault, Status: e.Status, Code: e.Code}
	}
	return why
}

func (c cause) vanished() bool { return c.vanish != "" || c.class == store.ClassGone }

// explain says what met so many users, and what to check. The vendor's error, if
// there is one, tells itself what to do about an answer that is not the vendor's
// and about a refusal.
func (c cause) explain(users int, e *vlens.Error) error {
	switch {
	case c.vanished():
		return fmt.Errorf("%w: %d users in a row of whom images are archived end as %s; check vlens.tenancy_name, vlens.base_url, and the phones and emails "+
			"in source.users_sql; if Vlens has indeed deleted them, the next run goes on with others", ErrBreaker, users, c.vanishedAs())
	case c.class == store.ClassStorageError:
		return fmt.Errorf("%w: the bucket took nothing of %d users in a row, although it answers; check the S3 service, and what it refuses",
			ErrBreaker, users)
	case e == nil:
		return fmt.Errorf("%w: %d users in a row fail by a fault in this program or its ledger; the log says of each why; check the ledger's database, "+
			"and report it", ErrBreaker, users)
	case e.Foreign, refusesAccount(e):
		return fmt.Errorf("%w: %d users in a row: %w", ErrBreaker, users, e)
	}
	return fmt.Errorf("%w: %d users in a row: %w; ask Vlens about it, and list a code that has a meaning under vlens.codes",
		ErrBreaker, users, e)
}

func (c cause) vanishedAs() string {
	if c.vanish != "" {
		return string(c.vanish)
	}
	return string(store.ClassGone)
}
