package export

import (
	"errors"
)

// ErrPlace says that an export cannot be written where it should go.
var ErrPlace = errors.New("cannot write there")

// Place is where an export goes. Files are for their owner only.
type Place interface {
	// open makes sure that nothing is there that would be overwritten, and takes
	// the place under another name.
	open() (sink, error)
}

// partialName begins the name of what is being written.
const partialName = ".partial-"
