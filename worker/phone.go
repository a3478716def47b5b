package worker

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"vlens-archiver/store"
)

const (
	// longestNumber is the most digits of a number with its country's code, with
	// room for a prefix such as 00 (ITU-T E.164 has 15).
	longestNumber = 17
	// shortestNumber is the fewest digits that may be another number, where the
	// parser sees an extension.
	shortestNumber = 7
	// phoneContext begins a parameter of a tel: URI (RFC 3966).
	phoneContext = ";phone-context="
)

var (
	// lettersBehind: the parser drops letters, with what they stood for, or takes
	// them for digits.
	lettersBehind = regexp.MustCompile(`\p{Nd}[^\p{Nd}]*\p{L}`)
	// otherEnding is the way to write that a line has a second number, which ends
	// otherwise: 02 2555 1234/5.
	otherEnding = regexp.MustCompile(`^(.*\p{Nd})\s*[/\\.\x{2010}-\x{2015}-]\s*\p{Nd}{1,2}$`)
)

// Phone is the number in E.164, the form the vendor keeps (docs.vlenseg.com,
// "Conventions"). What can be read as more than one number is none: asking for a
// wrong number may yield another person.
func Phone(field store.Sensitive, region string) (store.Sensitive, Flaw) {
	value := visible(Typed(field.Reveal()))
	switch {
	case value == "":
		return "", flawEmpty
	case isList(value):
		return "", flawList
	case digits(value) > longestNumber:
		return "", flawSeveral
	}
	number, err := phonenumbers.Parse(value, region)
	switch {
	case err != nil || !phonenumbers.IsPossibleNumber(number):
		return "", flawNoNumber
	case len(number.GetExtension()) >= shortestNumber:
		return "", flawSeveral
	case number.GetExtension() == "" && !strings.Contains(value, phoneContext) && lettersBehind.MatchString(value):
		return "", flawLetters
	}
	if parts := otherEnding.FindStringSubmatch(value); parts != nil {
		if shorter, err := phonenumbers.Parse(parts[1], region); err == nil && phonenumbers.IsValidNumber(shorter) {
			return "", flawSeveral
		}
	}
	return store.Sensitive(phonenumbers.Format(number, phonenumbers.E164)), ""
}

// visible is a value without the invisible marks inside it, and with one kind of
// space. Ends of lines stay, and belong to no number.
func visible(value string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case r == '\t' || unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, value)
}

func digits(value string) int {
	n := 0
	for _, r := range value {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}
