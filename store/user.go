package store

import (
	"regexp"
	"time"
)

// User is a row of the company's user query. Email and Phone are as the query
// gives them; either may be empty. TransactionID and VerifiedAt are zero when
// the query does not have the column or the row has NULL.
type User struct {
	ID            string
	Email         Sensitive
	Phone         Sensitive
	TransactionID string
	VerifiedAt    time.Time
}

// Subject is the pseudonym of a user: 26 characters of lower-case base32.
type Subject string

var subjectForm = regexp.MustCompile(`^[a-z2-7]{26}$`)

// Valid reports whether it has the form of a pseudonym.
func (s Subject) Valid() bool { return subjectForm.MatchString(string(s)) }

// Ref is a reference as the archive keeps it: 32 hex digits that say nothing
// about the vendor's file name.
type Ref string
