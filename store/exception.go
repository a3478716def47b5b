package store

import (
	"strings"
	"time"
)

// AcceptedAgain is when a user whose failure is accepted is asked for again: often
// enough for a change to be noticed.
const AcceptedAgain = 30 * 24 * time.Hour

// ExceptionAct is what a person did about a settled failure.
type ExceptionAct string

// The acts.
const (
	// ExceptionAccepted: what the user's newest verification lacks cannot be had,
	// and the person takes responsibility for that.
	ExceptionAccepted ExceptionAct = "accepted"
	// ExceptionWithdrawn: it is to be had all the same.
	ExceptionWithdrawn ExceptionAct = "withdrawn"
)

// Exception is one act about one user, a row of exceptions. It never holds an
// email or a phone number.
type Exception struct {
	Subject Subject
	// Transaction is the newest verification of the user at that time, or the one
	// that the user's row named; "" when none was named. VerifiedAt is that of the
	// row, and zero when a listing had named the verification, or the row had none.
	Transaction string
	VerifiedAt  time.Time
	Class       Class
	Act         ExceptionAct
	Reason      string // as the person gave it
	Actor       string // the person, by their own word
	At          time.Time
	AuditKey    string // object key of the statement in the bucket
	// AuditSHA256 is that of the statement's bytes, in lower-case hex.
	AuditSHA256 string
}

// ExceptionChoice says about whom a person acts: the users with these ids, or all
// who fail with a class.
type ExceptionChoice struct {
	UserIDs []string
	Class   Class
}

// StandingException is an exception that holds now, with the user as the user
// query names them; UserID is "" when the source is not known to have the user.
type StandingException struct {
	Exception
	UserID string
}

// SettledClasses are the classes that can be accepted.
func SettledClasses() []string {
	var names []string
	for _, info := range Classes {
		if info.Settled {
			names = append(names, string(info.Class))
		}
	}
	return names
}

// SettledNames lists them for people.
func SettledNames() string { return strings.Join(SettledClasses(), ", ") }
