package worker

import (
	"context"
	"errors"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// faultClass is the one table from what went wrong at the vendor to the class
// under which the ledger keeps it.
var faultClass = map[vlens.Fault]store.Class{
	vlens.FaultUnauthorized: store.ClassUnauthorized,
	vlens.FaultForbidden:    store.ClassForbidden,
	vlens.FaultThrottled:    store.ClassThrottled,
	vlens.FaultNotFound:     store.ClassVendorError, // on an image: no definite "gone"
	vlens.FaultGone:         store.ClassGone,
	vlens.FaultVendorError:  store.ClassVendorError,
	vlens.FaultTimeout:      store.ClassTimeout,
	vlens.FaultNetwork:      store.ClassNetwork,
	vlens.FaultBadPayload:   store.ClassBadPayload,
	vlens.FaultNotAnImage:   store.ClassNotAnImage,
	vlens.FaultTooLarge:     store.ClassTooLarge,
}

// classOf is the failure class of an error that failed one image or one user.
func classOf(err error) store.Class {
	var outage *OutageError
	vendor, isVendor := errors.AsType[*vlens.Error](err)
	switch {
	case isVendor:
		if class, ok := faultClass[vendor.Fault]; ok {
			return class
		}
	case errors.Is(err, store.ErrExists):
		return store.ClassConflict
	case errors.Is(err, store.ErrDenied):
		return store.ClassStorageDenied
	case errors.Is(err, store.ErrUnavailable), errors.As(err, &outage):
		return store.ClassStorageError
	}
	return store.ClassInternal
}

// stopsRun reports whether an error is not this user's own: the work was
// cancelled, the credentials are refused, the permission to list is, the bucket
// is, or a service is away.
func stopsRun(err error) bool {
	var outage *OutageError
	if errors.As(err, &outage) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if errors.Is(err, store.ErrDenied) || errors.Is(err, store.ErrBucketMissing) || errors.Is(err, store.ErrProcessLost) {
		return true
	}
	vendor, ok := errors.AsType[*vlens.Error](err)
	if !ok {
		return false
	}
	return vendor.Fault == vlens.FaultUnauthorized || vendor.Fault == vlens.FaultForbidden && vendor.Endpoint != vlens.EndpointImage
}

// ofVendor is what an error says of the vendor. One who answers everybody that
// there are too many requests is as good as absent.
func ofVendor(err error) presence {
	vendor, ok := errors.AsType[*vlens.Error](err)
	switch {
	case !ok:
		return present
	case vendor.Fault == vlens.FaultThrottled:
		return absent
	case vendor.Status == http502, vendor.Status == http504:
		return troubled
	case vendor.Fault != vlens.FaultNetwork && vendor.Fault != vlens.FaultTimeout:
		return present
	case vendor.Status != 0: // an answer that broke off
		return troubled
	}
	return absent
}

// HTTP statuses by which a gateway says that there is nobody behind it (RFC 9110,
// sections 15.6.3 and 15.6.5). 503 is a throttle reply.
const (
	http502 = 502
	http504 = 504
)

// ofStore is what an error says of the bucket or a database. An absence that was
// waited for already is not waited for again.
func ofStore(err error) presence {
	var outage *OutageError
	if errors.Is(err, store.ErrUnavailable) && !errors.As(err, &outage) {
		return absent
	}
	return present
}

// refusal reports whether the vendor answered, and the answer was no.
func refusal(err error) bool {
	vendor, ok := errors.AsType[*vlens.Error](err)
	if !ok {
		return false
	}
	switch vendor.Fault {
	case vlens.FaultVendorError, vlens.FaultGone, vlens.FaultNotFound, vlens.FaultForbidden, vlens.FaultBadPayload:
		return true
	}
	return false
}

func isFault(err error, fault vlens.Fault) bool {
	vendor, ok := errors.AsType[*vlens.Error](err)
	return ok && vendor.Fault == fault
}
