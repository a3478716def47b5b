package audit

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"vlens-archiver/store"
)

// longestText bounds what is kept for ever of what people give, in characters.
const longestText = 500

var (
	number    = regexp.MustCompile(`\+?[0-9]+(?:[ ().-]{1,3}[0-9]+)*`)
	digits    = regexp.MustCompile(`[0-9]+`)
	westernly = strings.NewReplacer(arabicDigits()...)
)

// CheckReason refuses a reason that is none, or that ledger and bucket must not
// keep: it stays there for ever, so an email, a phone number or a national id in
// it would outlive the person's evidence. Its errors do not repeat the text.
func CheckReason(reason string) error {
	return checkText("reason", reason, "name a case or a request instead")
}

// CheckActor refuses a name of who acts by the same rules.
func CheckActor(name string) error {
	return checkText("actor", name, "give the person's name or account")
}

func checkText(what, text, instead string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return fmt.Errorf("the %s is needed; it is kept for ever, in the ledger and under audit/", what)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return fmt.Errorf("the %s must be one line of text", what)
	case utf8.RuneCountInString(text) > longestText:
		return fmt.Errorf("the %s is longer than %d characters", what, longestText)
	case holdsPersonal(westernly.Replace(text)):
		return fmt.Errorf("the %s holds what looks like an email, a phone number or a national id; it is kept for ever, so %s", what, instead)
	}
	return nil
}

func holdsPersonal(text string) bool {
	for word := range strings.FieldsSeq(text) {
		if strings.Contains(word, "@") && store.LooksPersonal([]byte(word)) {
			return true
		}
	}
	for _, found := range number.FindAllString(text, -1) {
		if numberLooksPersonal(found) {
			return true
		}
	}
	return false
}

// numberLooksPersonal tries every stretch of groups of digits: a phone number
// may be written in groups and may stand beside another number. A national id is
// written in one piece, and two dates in a row are none.
func numberLooksPersonal(text string) bool {
	groups := digits.FindAllString(text, -1)
	for from := range groups {
		joined := ""
		if from == 0 && strings.HasPrefix(text, "+") {
			joined = "+"
		}
		for to, group := range groups[from:] {
			joined += group
			if to > 0 && len(joined) == 14 {
				continue
			}
			if store.LooksPersonal([]byte(joined)) {
				return true
			}
		}
	}
	return false
}

// arabicDigits maps the digits of Arabic and Persian to those of ASCII.
func arabicDigits() []string {
	var pairs []string
	for n := range 10 {
		ascii := string(rune('0' + n))
		pairs = append(pairs, string(rune('٠'+n)), ascii, string(rune('۰'+n)), ascii)
	}
	return pairs
}
