package store

import "time"

// RunLine is a run as a list of runs shows it.
type RunLine struct {
	Run      Run
	Outcomes map[Outcome]int64
	Images   int64 // stored by the run
	Bytes    int64 // of these images
	Requests int64
}

// FailureLine is the users who are failed or partial for one reason.
type FailureLine struct {
	Class    Class
	Users    int64
	OldestAt time.Time // when the first of them was verified, or first seen
}

// Status is where the archive stands now.
type Status struct {
	At              time.Time // by the clock of the ledger
	Runs            []RunLine // the last ones, newest first
	Users           map[State]int64
	UsersLeft       int64 // of these, no longer in the source
	UsersTotal      int64
	UsersAccepted   int64         // failed or partial, which a person has accepted; in no line of Failures
	OldestPendingAt time.Time     // zero when nobody is pending
	Failures        []FailureLine // the most users first
	Log             LogState      // as the ledger last knew it to be published
	SealedAt        time.Time     // when that was noted; zero before the first checkpoint
}

// OutcomeLine is how a user ended in one run.
type OutcomeLine struct {
	RunID       string
	Outcome     Outcome
	Class       Class
	Transaction string
	Requests    int
	EndedAt     time.Time
}

// UserStatus says where one user stands, and why.
type UserStatus struct {
	Subject     Subject
	State       State
	LastClass   Class
	FirstSeenAt time.Time
	VerifiedAt  time.Time // zero when the user query does not say
	LeftAt      time.Time // zero while the user query has the user
	ArchivedAt  time.Time
	Attempts    int
	NextDueAt   time.Time // zero means never, until the row changes
	DueReason   DueReason
	// LeaseProcess is the live process that works on the user, "" when nobody
	// does.
	LeaseProcess string
	// Accepted is the exception that holds; nil when none does.
	Accepted *Exception
	Outcomes []OutcomeLine // the last ones, newest first
	Records  []RecordRef   // the last ones, newest first
}
