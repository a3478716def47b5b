package worker

import (
	"context"
	"errors"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// sign is what an error says of the service that it came from.
type sign int

const (
	// answered: the service answered, if only with an error.
	answered sign = iota
	// brokeOff: the request broke off. That may be about what was asked for, or
	// the service is away.
	brokeOff
	// unreached: whatever was asked for, it would have met the same.
	unreached
)

// The statuses by which a gateway says that it does not reach what is behind it
// (RFC 9110, sections 15.6.3 and 15.6.5). The third, 503, is a throttle reply.
const (
	statusBadGateway     = 502
	statusGatewayTimeout = 504
)

// vendorSigns is the one table from an error of the vendor to what it says of
// the vendor; the first row that fits counts. An error in no row is an answer.
var vendorSigns = []struct {
	sign sign
	fits func(*vlens.Error) bool
}{
	{answered, func(e *vlens.Error) bool { return asksForToken(e) && refusesAccount(e) }},
	{unreached, asksForToken},
	{unreached, func(e *vlens.Error) bool { return e.Unreached }},
	{brokeOff, func(e *vlens.Error) bool { return e.Fault == vlens.FaultNetwork }},
	{brokeOff, func(e *vlens.Error) bool { return e.Fault == vlens.FaultTimeout }},
	{brokeOff, func(e *vlens.Error) bool { return e.Fault == vlens.FaultThrottled }},
	{brokeOff, func(e *vlens.Error) bool { return e.Foreign }},
	{brokeOff, func(e *vlens.Error) bool { return e.Status == statusBadGateway }},
	{brokeOff, func(e *vlens.Error) bool { return e.Status == statusGatewayTimeout }},
}

// vendorSign is what an error says of the vendor. Errors of others, such as the
// ledger, which keeps the quota, say nothing of it.
func vendorSign(err error) sign {
	vendor, ok := errors.AsType[*vlens.Error](err)
	if !ok {
		return answered
	}
	for _, row := range vendorSigns {
		if row.fits(vendor) {
			return row.sign
		}
	}
	return answered
}

func asksForToken(e *vlens.Error) bool {
	return e.Endpoint == vlens.EndpointLogin || e.Endpoint == vlens.EndpointRefresh
}

// storeAway reports whether an error means that the bucket or a database, asked
// under ctx, does not answer: it says so itself, or a time limit passed that is not
// the one of ctx. An absence that was waited for already is not waited for again.
func storeAway(ctx context.Context, err error) bool {
	var outage *OutageError
	var ofVendor *vlens.Error
	if errors.As(err, &outage) || errors.As(err, &ofVendor) {
		return false
	}
	return errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
}
