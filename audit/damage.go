package audit

import (
	"context"
	"errors"
	"fmt"

	"vlens-archiver/store"
)

// ErrDamaged says that something stored is not what it should be: missing,
// changed, or in disagreement with what else is stored. Errors that wrap it name
// the key.
var ErrDamaged = errors.New("the archive is damaged")

// Damaged is ErrDamaged about an object.
func Damaged(key, format string, values ...any) error {
	return fmt.Errorf("%w: %q: %s", ErrDamaged, key, fmt.Sprintf(format, values...))
}

// Broken is the damage of an object that does not parse. An err that says that it
// could not be read is returned as it is.
func Broken(key string, err error) error {
	for _, reading := range []error{store.ErrUnavailable, store.ErrDenied, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, reading) {
			return err
		}
	}
	return Damaged(key, "%v", err)
}
