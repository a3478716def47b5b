package store

import "time"

// Task is one user claimed by a process: what the ledger knows of the user,
// and the token that a commit must show.
type Task struct {
	UserID        string
	Subject       Subject
	State         State
	LastClass     Class     // of the last outcome, or why the user is failed or partial
	Settled       bool      // trying again soon could not change how that attempt ended
	Attempts      int       // attempts without success in a row
	DueReason     DueReason // why the user is due, or will be
	TransactionID string    // from the user query; "" when it has none
	VerifiedAt    time.Time
	// NewestTransaction is the folder of the newest verification; "" while none is
	// known.
	NewestTransaction string
	Unlisted          bool // the vendor no longer lists the user, of whom something is stored
	HasImages         bool // something is stored of the user, of whatever verification
	Accepted          bool // a person accepted what LastClass says of the newest verification
	LeaseToken        int64
}

// StoredImage is an image of a subject that the ledger knows to be stored, with
// the transaction folder it stands in.
type StoredImage struct {
	Transaction string
	Image
}

// Finding is what an attempt found of an image that it could not store.
type Finding struct {
	Image
	Age time.Duration // since then, by the clock of the ledger
}

// Known is what the ledger knows about a subject when its listing is there.
type Known struct {
	// Owner is the subject under whom the listed transaction is archived or
	// being archived: the asking subject itself unless two users share it.
	Owner  Subject
	Images []StoredImage
	// Findings are what attempts found of images of the listed transaction that
	// they could not store, the oldest first.
	Findings []Finding
	// Record is the newest record for the transaction; zero when there is none.
	Record RecordRef
	// Records are those of all transactions, by transaction and sequence.
	Records []RecordRef
}

// RecordRef points to one record.
type RecordRef struct {
	Transaction string // the folder: a lower-case UUID or "t-" and 16 hex digits
	Sequence    int
	Key         string
	VersionID   string
	SHA256      string // of the record's exact bytes, lower-case hex
	ArchivedAt  time.Time
}

// Result is all that one finished user leaves in the ledger, committed at once.
type Result struct {
	Task
	RunID   string
	Outcome Outcome
	// Class is for failed and partial, and for unchanged when what is missing was
	// settled before.
	Class Class
	// Transaction is the folder the images stand in; "" when none is known.
	Transaction string
	// Verification is where the transaction stands now, if the vendor's listing was
	// answered with references: archived, partial or failed. "" leaves it to the
	// outcome, which does not tell of failed whether a listing was answered.
	Verification State
	// Passing says that the user may end otherwise soon, whatever the class.
	Passing bool
	// Images are new rows only: what this attempt stored, or could not.
	Images []Image
	// Record is the record that states the images now; nil when there is none.
	Record *RecordRef
	// NewRecords are the records that the ledger does not have yet: those that
	// attempts left which died before their commit, and Record, unless the ledger
	// has it. Each names its transaction.
	NewRecords []RecordRef
	// Earlier are the images that records of other transactions among them state:
	// an attempt died, and the user verified again before the next one.
	Earlier []StoredImage
	// NextDue is the delay from now until the user is due again; negative means
	// never, which is for complete users without rechecks.
	NextDue   time.Duration
	Requests  int
	Bytes     int64 // of images stored by this attempt
	StartedAt time.Time
}

// Never is the NextDue of a complete user who waits for a change of the row.
const Never time.Duration = -1
