package audit

import (
	"errors"
	"fmt"
)

// ErrDamaged says that something stored is not what it should be: missing,
// changed, or in disagreement with what else is stored. Errors that wrap it name
// the key.
var ErrDamaged = errors.New("the archive is damaged")

// Damaged is ErrDamaged about an object.
func Damaged(key, format string, values ...any) error {
	return fmt.Errorf("%w: %q: %s", ErrDamaged, key, fmt.Sprintf(format, values...))
}
