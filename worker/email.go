package worker

import (
	"strings"
	"unicode"

	"vlens-archiver/store"
)

// Email is the address as it is compared: without what is around it, in lower
// case.
func Email(field store.Sensitive) (store.Sensitive, Flaw) {
	value := strings.ToLower(Typed(field.Reveal()))
	name, domain, found := strings.Cut(value, "@")
	switch {
	case value == "":
		return "", flawEmpty
	case isList(value):
		return "", flawList
	case strings.Contains(domain, "@"):
		return "", flawSeveral
	case !found || name == "" || domain == "":
		return "", flawNoEmail
	case strings.ContainsAny(value, "<>:,;") || strings.ContainsFunc(value, isSpace):
		return "", flawAround
	}
	return store.Sensitive(value), ""
}

func isSpace(r rune) bool { return unicode.In(r, unicode.Z, unicode.Cc) }
