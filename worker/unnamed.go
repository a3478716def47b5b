package worker

import (
	"errors"
	"sync/atomic"

	"vlens-archiver/vlens"
)

// errNoTransaction says that the vendor does not serve images without a
// transaction id, and none is known.
var errNoTransaction = errors.New("no transaction id is known")

// refusalsInVain is how many users without a transaction id may be refused, and
// nobody served, before the run stops asking for such users.
const refusalsInVain = 5

// unnamedTransactions remembers whether the vendor serves images to those who
// cannot name the transaction.
type unnamedTransactions struct {
	refusals  atomic.Int64
	servesAny atomic.Bool // it has served one
	named     atomic.Bool // some listing has told a transaction id
}

// learn takes in how a request for such an image ended. With a vendor that has
// served one, a failure is the image's own, as any other. Until then the error is
// errNoTransaction, or the vendor's, which leaves it open: the user's other images
// are not to be asked for.
func (u *unnamedTransactions) learn(err error) error {
	switch {
	case err == nil, isFault(err, vlens.FaultNotAnImage), isFault(err, vlens.FaultTooLarge):
		u.servesAny.Store(true)
		return nil
	case u.servesAny.Load():
		return nil
	case refusal(err):
		u.refusals.Add(1)
		return errNoTransaction
	}
	return err
}

// inVain reports whether images without a transaction id are not worth asking
// for, and, when no listing ever told one, that listing is not either.
func (u *unnamedTransactions) inVain() (images, listing bool) {
	images = u.refusals.Load() >= refusalsInVain && !u.servesAny.Load()
	return images, images && !u.named.Load()
}
