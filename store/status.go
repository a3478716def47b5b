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
	Settled  bool      // for all of them trying again soon cannot mend it
}

// Status is where the archive stands now.
type Status struct {
	At              time.Time // by the clock of the ledger
	Runs            []RunLine // the last ones, newest first
	Users           map[State]int64
	UsersLeft       int64 // of these, no longer in the source
	UsersUnlisted   int64 // of these, no longer listed by Vlens, though something is stored
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
	UnlistedAt  time.Time // zero while Vlens lists the user
	Attempts    int
	NextDueAt   time.Time // zero means never, until the row changes: a complete user without rechecks
	DueReason   DueReason
	// LeaseProcess is the live process that works on the user, "" when nobody
	// does.
	LeaseProcess string
	// Accepted is the exception that holds; nil when none does.
	Accepted *Exception
	// Holder is the user under whom the newest verification is filed, when that is
	// another one; nil otherwise, and when it is not known.
	Holder        *TransactionHolder
	Verifications []VerificationLine // the last ones, newest first
	Outcomes      []OutcomeLine      // the last ones, newest first
	Records       []RecordRef        // the last ones, newest first
}

// TransactionHolder is the user under whom a transaction is filed.
type TransactionHolder struct {
	Subject Subject
	UserID  string    // "" when it is no longer known
	LeftAt  time.Time // zero while the user query has the user
}

// VerificationLine is one verification of a user, as far as attempts got to it.
type VerificationLine struct {
	Transaction string
	Newest      bool
	Stored      int // images
	Missing     []MissingImage
	Record      RecordRef // the last one; zero when there is none
	TriedAt     time.Time // of the last outcome; zero when none is known
	Class       Class     // of the last outcome
}

// MissingImage is an image that the vendor listed and that is not stored.
type MissingImage struct {
	Kind  Kind       `json:"kind"`
	State ImageState `json:"state"`
	Class Class      `json:"class"`
}
