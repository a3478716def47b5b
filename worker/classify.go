package worker

import (
	"context"
	"errors"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// faultClasses is the one table from what went wrong at the vendor to the class
// under which the ledger keeps it.
var faultClasses = [...]struct {
	fault vlens.Fault
	class store.Class
}{
	{vlens.FaultUnauthorized, store.ClassUnauthorized},
	{vlens.FaultForbidden, store.ClassForbidden},
	{vlens.FaultThrottled, store.ClassThrottled},
	{vlens.FaultNotFound, store.ClassVendorError}, // on an image: no definite "gone"
	{vlens.FaultGone, store.ClassGone},
	{vlens.FaultVendorError, store.ClassVendorError},
	{vlens.FaultTimeout, store.ClassTimeout},
	{vlens.FaultNetwork, store.ClassNetwork},
	{vlens.FaultBadPayload, store.ClassBadPayload},
	{vlens.FaultNotAnImage, store.ClassNotAnImage},
	{vlens.FaultTooLarge, store.ClassTooLarge},
}

var (
	_ = [1]struct{}{}[vlens.FaultCount-len(faultClasses)] // a fault has no class
	_ = [1]struct{}{}[store.KindCount-vlens.FieldCount]   // the vendor lists other kinds
)

// classOf is the failure class of an error that failed one image or one user.
func classOf(err error) store.Class {
	var outage *OutageError
	vendor, isVendor := errors.AsType[*vlens.Error](err)
	switch {
	case isVendor:
		for _, row := range faultClasses {
			if row.fault == vendor.Fault {
				return row.class
			}
		}
	case errors.Is(err, store.ErrExists):
		return store.ClassConflict
	case errors.Is(err, store.ErrDenied):
		return store.ClassStorageDenied
	case errors.Is(err, store.ErrUnavailable), errors.As(err, &outage),
		errors.Is(err, store.ErrObjectRefused), errors.Is(err, store.ErrCold), errors.Is(err, store.ErrNotFound):
		return store.ClassStorageError
	}
	return store.ClassInternal
}

// stopsRun reports whether an error is not this user's own: the work was
// cancelled or stopped, the credentials are refused, the bucket is not there or
// refuses, or a service is away.
func stopsRun(err error) bool {
	var outage *OutageError
	if errors.As(err, &outage) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	for _, everybodys := range []error{
		store.ErrDenied, store.ErrBucketMissing, store.ErrRegion, store.ErrBucketRefuses, store.ErrProcessLost,
	} {
		if errors.Is(err, everybodys) {
			return true
		}
	}
	vendor, ok := errors.AsType[*vlens.Error](err)
	if !ok {
		return false
	}
	return refusesAccount(vendor) && asksForToken(vendor)
}

// refusesAccount reports whether the vendor refuses who asks, and not what is
// asked for.
func refusesAccount(vendor *vlens.Error) bool {
	return vendor.Fault == vlens.FaultUnauthorized || vendor.Fault == vlens.FaultForbidden
}

// refusal reports whether the vendor's application answered, and the answer was
// no. An image that cannot be read is none.
func refusal(err error) bool {
	vendor, ok := errors.AsType[*vlens.Error](err)
	if !ok {
		return false
	}
	switch vendor.Fault {
	case vlens.FaultGone, vlens.FaultNotFound, vlens.FaultForbidden:
		return true
	case vlens.FaultVendorError:
		return vendor.Enveloped
	}
	return false
}

func isFault(err error, fault vlens.Fault) bool {
	vendor, ok := errors.AsType[*vlens.Error](err)
	return ok && vendor.Fault == fault
}
