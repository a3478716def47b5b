package worker

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"vlens-archiver/store"
)

// Identifier is a kind of identifier by which the vendor may know a user.
type Identifier string

// The identifiers.
const (
	ByPhone Identifier = "phone"
	ByEmail Identifier = "email"
)

// identifier is one way to ask the vendor for a user.
type identifier struct {
	by    Identifier
	value store.Sensitive
}

// identifiersOf are the usable identifiers of a user, in the order to try them.
// Only one spelling of each is tried: every further one would cost a request
// and might be another person's.
func identifiersOf(user store.User, order []Identifier, region string) []identifier {
	var usable []identifier
	for _, by := range order {
		var value store.Sensitive
		switch by {
		case ByEmail:
			value = Email(user.Email)
		case ByPhone:
			value = Phone(user.Phone, region)
		}
		if value != "" {
			usable = append(usable, identifier{by: by, value: value})
		}
	}
	return usable
}

// Usable are the identifiers by which the vendor could be asked for a user.
func Usable(user store.User, order []Identifier, region string) []Identifier {
	var usable []Identifier
	for _, one := range identifiersOf(user, order, region) {
		usable = append(usable, one.by)
	}
	return usable
}

// Phone is the number in E.164, the form the vendor keeps (docs.vlenseg.com,
// "Conventions"), or "" when it is no possible number.
func Phone(raw store.Sensitive, region string) store.Sensitive {
	number, err := phonenumbers.Parse(raw.Reveal(), region)
	if err != nil || !phonenumbers.IsPossibleNumber(number) {
		return ""
	}
	return store.Sensitive(phonenumbers.Format(number, phonenumbers.E164))
}

// Email is the address as it is compared: without space around it, in lower
// case. It is "" when it is no address.
func Email(raw store.Sensitive) store.Sensitive {
	value := strings.ToLower(strings.TrimSpace(raw.Reveal()))
	name, domain, found := strings.Cut(value, "@")
	if !found || name == "" || domain == "" || strings.ContainsAny(value, " \t\r\n") {
		return ""
	}
	return store.Sensitive(value)
}
