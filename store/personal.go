package store

import (
	"bytes"
	"regexp"
	"strings"
)

// The shapes of personal ids: an email; and a number, read without its
// PersonalSeparators, that is a phone number with its country code, an Egyptian
// mobile number (10, 11, 12 or 15 and eight digits: National Telecom Regulatory
// Authority, numbering plan) or an Egyptian national id of 14 digits. Plain
// numbers of other lengths pass: they are how databases count.
//
// They are regular expressions that Go and Postgres read alike.
const (
	PersonalEmail      = `^[^@]+@[^.]+\.`
	PersonalNumber     = `^(\+[0-9]{8,15}|00[0-9]{8,14}|(20|0)1[0125][0-9]{8}|[0-9]{14})$`
	PersonalSeparators = ` -().`
)

var (
	personalEmail  = regexp.MustCompile(PersonalEmail)
	personalNumber = regexp.MustCompile(PersonalNumber)
)

// LooksPersonal reports whether an id has the shape of an email, a phone number or
// a national id.
func LooksPersonal(id []byte) bool {
	number := bytes.Map(func(c rune) rune {
		if strings.ContainsRune(PersonalSeparators, c) {
			return -1
		}
		return c
	}, id)
	return personalEmail.Match(id) || personalNumber.Match(number)
}
