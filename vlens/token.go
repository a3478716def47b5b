package vlens

import (
	"sync/atomic"
	"time"
)

// token is what a login or refresh gave. It is never changed, but for the notes
// of what it has been good for.
type token struct {
	access  string
	refresh string
	renewAt time.Time // before it expires
	// refreshed: it came from a refresh, not from a login.
	refreshed bool
	// forced: the vendor had answered 403 to the token before, so this one is
	// from a login made for that reason.
	forced bool

	listed, fetched atomic.Bool
	refused         atomic.Bool // the vendor does not accept it any more
}

// fresh reports whether the token is to be sent without further thought.
func (t *token) fresh() bool { return !t.refused.Load() && !t.ageing() }

// ageing reports whether the token is to be renewed, for its time is over or
// almost so.
func (t *token) ageing() bool { return !time.Now().Before(t.renewAt) }

// worked notes that the vendor accepted the token at an endpoint.
func (t *token) worked(endpoint Endpoint) { t.note(endpoint).Store(true) }

// unproven reports whether the token came from a refresh and was accepted
// nowhere yet. If the vendor refuses it, that refresh has failed.
func (t *token) unproven() bool {
	return t.refreshed && !t.listed.Load() && !t.fetched.Load()
}

// doubtful reports whether a 403 may be about the token, which a login mends,
// and not about the permission, which it does not: one page of the vendor says
// that 403 means a bad token. After a login made for a 403, only a token that
// worked at the endpoint before is doubted again, so that an endpoint that
// refuses everything costs one login.
func (t *token) doubtful(endpoint Endpoint) bool {
	return !t.forced || t.note(endpoint).Load()
}

func (t *token) note(endpoint Endpoint) *atomic.Bool {
	if endpoint == EndpointList {
		return &t.listed
	}
	return &t.fetched
}
