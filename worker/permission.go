package worker

import (
	"errors"
	"fmt"
	"sync"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// refusedUsers is how many users must be refused, and no listing answered, for
// it to be the account that may not list, and not one of them.
const refusedUsers = 3

// permission is what this process knows of whether its account may list.
type permission struct {
	mu      sync.Mutex
	proven  bool // a listing was answered
	refused map[store.Subject]struct{}
}

// answered notes that a listing was answered.
func (p *permission) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.proven = true
}

// denies notes that the vendor refused to list a user, also after a fresh login,
// and returns the error that ends the run when it is the account that is refused.
func (p *permission) denies(subject store.Subject, refusal error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.proven {
		return nil
	}
	if p.refused == nil {
		p.refused = make(map[store.Subject]struct{})
	}
	p.refused[subject] = struct{}{}
	if len(p.refused) < refusedUsers {
		return nil
	}
	return fmt.Errorf("no listing was answered, and those of %d users were refused: %w", len(p.refused), refusal)
}

// refusesListing reports whether the vendor itself refused to list a user.
func refusesListing(err error) bool {
	vendor, ok := errors.AsType[*vlens.Error](err)
	return ok && refusesAccount(vendor) && vendor.Endpoint == vlens.EndpointList
}
