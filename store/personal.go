package store

import (
	"bytes"
	"strings"
)

// nationalIDDigits is the length of an Egyptian national id.
const nationalIDDigits = 14

// LooksPersonal reports whether an id is shaped like an email, a phone number (with
// its country code, or an Egyptian mobile number) or a national id. Plain
// numbers of other lengths pass: they are how databases count.
func LooksPersonal(id []byte) bool {
	if at := bytes.IndexByte(id, '@'); at > 0 && bytes.IndexByte(id[at:], '.') > 1 {
		return true
	}
	var digits [16]byte
	n := 0
	plus := false
	for place, c := range id {
		switch {
		case c >= '0' && c <= '9':
			if n == len(digits) {
				return false
			}
			digits[n] = c
			n++
		case c == '+' && place == 0:
			plus = true
		case c == ' ' || c == '-' || c == '(' || c == ')' || c == '.':
		default:
			return false
		}
	}
	number := string(digits[:n])
	switch {
	case n == nationalIDDigits:
		return true
	case plus:
		return n >= 8 && n <= 15
	case n >= 10 && strings.HasPrefix(number, "00"):
		return true
	}
	national, hasCode := strings.CutPrefix(number, "20")
	if !hasCode {
		national, hasCode = strings.CutPrefix(number, "0")
	}
	return hasCode && egyptianMobile(national)
}

// egyptianMobile: 10, 11, 12 or 15 and eight digits (National Telecom
// Regulatory Authority of Egypt, numbering plan).
func egyptianMobile(number string) bool {
	return len(number) == 10 && number[0] == '1' && strings.IndexByte("0125", number[1]) >= 0
}
