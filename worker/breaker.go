package worker

import (
	"errors"
	"fmt"
	"sync"

	"vlens-archiver/vlens"
)

// sameErrorsInRow is how many users may fail in a row with one and the same
// vendor error that nobody has given a meaning to.
const sameErrorsInRow = 20

// ErrBreaker says that the run stopped so as not to spend the quota on one and
// the same vendor error.
var ErrBreaker = errors.New("the vendor keeps answering with the same error")

// breaker watches for an error of the vendor that meets everybody.
type breaker struct {
	mu    sync.Mutex
	error vlens.Error // endpoint, fault, status and code of the last failure
	inRow int
}

// passed notes a user who did not end with an unknown vendor error.
func (b *breaker) passed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inRow = 0
}

// failed notes a user who did, and returns ErrBreaker when it was one too many.
func (b *breaker) failed(e *vlens.Error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	same := vlens.Error{Endpoint: e.Endpoint, Fault: e.Fault, Status: e.Status, Code: e.Code}
	if b.error != same {
		b.error, b.inRow = same, 0
	}
	if b.inRow++; b.inRow < sameErrorsInRow {
		return nil
	}
	return fmt.Errorf("%w: %d users in a row: %w; ask Vlens about it, and list a code that has a meaning under vlens.codes",
		ErrBreaker, b.inRow, e)
}
