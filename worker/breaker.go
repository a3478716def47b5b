package worker

import (
	"errors"
	"fmt"
	"sync"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// sameErrorsInRow is how many users may fail in a row for one and the same cause
// that concerns everybody if it lasts.
const sameErrorsInRow = 20

// ErrBreaker says that the run stopped so as not to spend the quota on users of
// whom nothing can be stored, all for the same cause.
var ErrBreaker = errors.New("one user after the other fails for the same cause")

// breaker watches for a cause of failure that meets everybody.
type breaker struct {
	mu    sync.Mutex
	last  cause
	inRow int
}

// cause is why nothing is stored of a user.
type cause struct {
	class  store.Class
	vendor vlens.Error // endpoint, fault, status and code; zero when the vendor is not why
}

// passed notes a user who did not fail, or for a reason of the user's own.
func (b *breaker) passed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inRow = 0
}

// failed notes a user who failed with the class, by the vendor's error if that is
// why, and returns ErrBreaker when it was one too many.
func (b *breaker) failed(class store.Class, e *vlens.Error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	why := cause{class: class}
	if e != nil {
		why.vendor = vlens.Error{Endpoint: e.Endpoint, Fault: e.Fault, Status: e.Status, Code: e.Code}
	}
	if b.last != why {
		b.last, b.inRow = why, 0
	}
	if b.inRow++; b.inRow < sameErrorsInRow {
		return nil
	}
	if e == nil {
		return fmt.Errorf("%w: the bucket took nothing of %d users in a row, although it answers; check the S3 service, and what it refuses",
			ErrBreaker, b.inRow)
	}
	return fmt.Errorf("%w: %d users in a row: %w; ask Vlens about it, and list a code that has a meaning under vlens.codes",
		ErrBreaker, b.inRow, e)
}
