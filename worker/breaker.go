package worker

import (
	"errors"
	"fmt"
	"sync"

	"vlens-archiver/vlens"
)

const (
	// sameErrorsInRow is how many users may fail in a row with one and the same
	// vendor error that nobody has given a meaning to.
	sameErrorsInRow = 20
	// refusalsInVain is how many users without a transaction id may be refused,
	// and nobody served, before the run stops asking for such users.
	refusalsInVain = 5
)

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

// unnamedTransactions remembers whether the vendor serves images to those who
// cannot name the transaction.
type unnamedTransactions struct {
	mu        sync.Mutex
	refusals  int
	servesAny bool // it has served one
	named     bool // some listing has told a transaction id
}

// listed notes whether a listing told a transaction id.
func (u *unnamedTransactions) listed(named bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.named = u.named || named
}

// served notes an image that came without its transaction having been named.
func (u *unnamedTransactions) served() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.servesAny = true
}

func (u *unnamedTransactions) refused() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refusals++
}

// proven reports whether the vendor has served an image so.
func (u *unnamedTransactions) proven() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.servesAny
}

// inVain reports whether images without a transaction id are not worth asking
// for, and, when no listing ever told one, that listing is not either.
func (u *unnamedTransactions) inVain() (images, listing bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	images = u.refusals >= refusalsInVain && !u.servesAny
	return images, images && !u.named
}
