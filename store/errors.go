package store

import (
	"errors"
	"fmt"
)

// Sentinels of the bucket. The errors that wrap them name operation, bucket
// and key.
var (
	// ErrNotFound: there is no such object. No other error means absence.
	ErrNotFound = errors.New("not found")
	// ErrExists: other bytes already stand under a create-only key, or the
	// object to replace has changed.
	ErrExists = errors.New("exists with other content")
	// ErrBucketMissing: the bucket itself does not exist.
	ErrBucketMissing = errors.New("no such bucket")
	// ErrRegion: the bucket is in another region than it was asked for in.
	ErrRegion = errors.New("wrong region")
	// ErrDenied: the credentials or the permissions are refused.
	ErrDenied = errors.New("access denied")
	// ErrBucketRefuses: a final no to a write or a listing, for a reason that is
	// neither a permission nor the object's own. It meets whatever is written next.
	ErrBucketRefuses = errors.New("refused by the bucket")
	// ErrObjectRefused: a final no that says nothing about other objects.
	ErrObjectRefused = errors.New("refused for this object")
	// ErrCold: the object is there, in a storage class from which it has to be
	// restored before it can be read.
	ErrCold = errors.New("in an archive storage class")
	// ErrUnavailable: the service cannot be reached or answers with its own
	// failure; a later attempt may succeed.
	ErrUnavailable = errors.New("unavailable")
)

// Sentinels of the ledger and the user query.
var (
	// ErrLocked: another session holds a lock for longer than one try waits.
	ErrLocked = fmt.Errorf("%w: locked by another session", ErrUnavailable)
	// ErrValueRefused: a value cannot be kept, or read; others can.
	ErrValueRefused = errors.New("value is refused")
	// ErrDatabaseURL: a database's URL cannot be used as it is.
	ErrDatabaseURL = errors.New("database URL is unusable")
	// ErrLeaseLost: the subject belongs to another process now; the result of
	// the work on it must be dropped.
	ErrLeaseLost = errors.New("lease lost")
	// ErrProcessLost: this process has been silent for so long that others may
	// have taken its users; it must stop touching them.
	ErrProcessLost = errors.New("process lost its heartbeat")
	// ErrForeignArchive: bucket, ledger and configuration do not belong together.
	ErrForeignArchive = errors.New("archive belongs to another configuration")
	// ErrSource: the user query cannot be used as it is.
	ErrSource = errors.New("user query is unusable")
	// ErrSchema: the ledger's tables are not at the version this program needs.
	ErrSchema = errors.New("ledger schema does not fit")
	// ErrNotEmpty: a ledger that is to be filled holds something already.
	ErrNotEmpty = errors.New("the ledger is not empty")
	// ErrSelection: a backfill names users that the source does not have.
	ErrSelection = errors.New("selection does not fit")
	// ErrRunMismatch: the run exists with another kind or selection.
	ErrRunMismatch = errors.New("run exists with another selection")
)
