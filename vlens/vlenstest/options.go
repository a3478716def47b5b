package vlenstest

import (
	"errors"
	"fmt"
	"time"
)

// The credentials of a tenant whose Options leave them empty.
const (
	DefaultTenancy  = "demo-tenant"
	DefaultAPIKey   = "demo-api-key-not-secret"
	DefaultUsername = "archiver@demo-tenant.example"
	DefaultPassword = "demo-password-not-secret"
)

// The credentials of the second tenant every server has. It has no people, so
// nothing it may see is there; its token must never open the first tenant's.
const (
	OtherTenancy  = "other-tenant"
	OtherAPIKey   = "other-api-key-not-secret"
	OtherUsername = "archiver@other-tenant.example"
	OtherPassword = "other-password-not-secret"
)

// DefaultPeople is how many people a tenant has whose Options do not say.
const DefaultPeople = 200

// Options describe a tenant. The zero value is usable.
type Options struct {
	Tenancy  string // DefaultTenancy when empty, and so on
	APIKey   string
	Username string
	Password string

	People   int    // 1 to MaxPeople; 0 means DefaultPeople
	Seed     uint64 // everything follows from it
	Scenario Scenario

	// ImageBytes replaces the drawn pictures by images of this many bytes,
	// 4 KiB to 16 MiB, made once and sent without work: for benchmarks. Each
	// user and kind still has bytes of its own. 0 means drawn pictures.
	ImageBytes int

	// Now is the clock of the quota, the token lifetimes and the log; nil
	// means time.Now.
	Now func() time.Time
}

const (
	minImageBytes = 4 << 10
	maxImageBytes = 16 << 20
)

func (o *Options) setDefaults() error {
	for _, d := range []struct {
		value    *string
		fallback string
		longest  int
	}{
		{&o.Tenancy, DefaultTenancy, longestName},
		{&o.APIKey, DefaultAPIKey, longestName},
		{&o.Username, DefaultUsername, longestName},
		{&o.Password, DefaultPassword, longestPassword},
	} {
		if *d.value == "" {
			*d.value = d.fallback
		}
		if len(*d.value) > d.longest {
			return fmt.Errorf("credentials: one is longer than the %d characters the API takes", d.longest)
		}
	}
	if o.APIKey == OtherAPIKey {
		return errors.New("API key: this one belongs to the built-in other tenant; choose another")
	}
	if o.People == 0 {
		o.People = DefaultPeople
	}
	if o.People < 0 || o.People > MaxPeople {
		return fmt.Errorf("people: %d is not between 1 and %d", o.People, MaxPeople)
	}
	if o.ImageBytes != 0 && (o.ImageBytes < minImageBytes || o.ImageBytes > maxImageBytes) {
		return fmt.Errorf("image bytes: %d is not between %d and %d", o.ImageBytes, minImageBytes, maxImageBytes)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}
