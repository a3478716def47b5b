package worker

import (
	"strings"

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

// Flaw says why a field gives no identifier, in words that follow the name of the
// field. It holds nothing of the field; "" means that there is one.
type Flaw string

// The flaws.
const (
	flawEmpty    Flaw = "is empty"
	flawList     Flaw = "is a list in braces or brackets"
	flawSeveral  Flaw = "holds more than one"
	flawLetters  Flaw = "has letters among or behind its digits"
	flawAround   Flaw = "has more around the address, such as a name, < > or mailto:"
	flawNoNumber Flaw = "is no phone number of a possible length"
	flawNoEmail  Flaw = "is no email address"
)

// identifiersOf are the usable identifiers of a user, in the order to try them.
// Only one spelling of each is tried: every further one would cost a request
// and might be another person's.
func identifiersOf(user store.User, order []Identifier, region string) []identifier {
	var usable []identifier
	for _, by := range order {
		if value, flaw := by.Of(user, region); flaw == "" {
			usable = append(usable, identifier{by: by, value: value})
		}
	}
	return usable
}

// Of is a user's identifier of this kind, as the vendor is asked for it and as two
// are compared, or why there is none.
func (by Identifier) Of(user store.User, region string) (store.Sensitive, Flaw) {
	if by == ByEmail {
		return Email(user.Email)
	}
	return Phone(user.Phone, region)
}

// Usable are the identifiers by which the vendor could be asked for a user.
func Usable(user store.User, order []Identifier, region string) []Identifier {
	var usable []Identifier
	for _, one := range identifiersOf(user, order, region) {
		usable = append(usable, one.by)
	}
	return usable
}

// WhyUnusable says why the vendor cannot be asked for a user by any identifier,
// without what the fields hold.
func WhyUnusable(user store.User, order []Identifier, region string) string {
	var why []string
	for _, by := range order {
		if _, flaw := by.Of(user, region); flaw != "" {
			why = append(why, string(by)+" "+string(flaw))
		}
	}
	return strings.Join(why, ", ")
}
