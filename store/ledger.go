package store

import (
	"fmt"
	"time"
)

// LayoutVersion is the version of bucket layout and formats that this program
// reads and writes.
const LayoutVersion = 1

// ArchiveIdentity says which archive this is. Bucket and ledger both keep it,
// and a run whose configuration yields another one does not start.
type ArchiveIdentity struct {
	LayoutVersion int    `json:"layout_version"`
	Origin        string `json:"origin"`
	TenancyName   string `json:"tenancy_name"`
	KeyCheck      string `json:"key_check"` // SubjectKey.Check
	// Place is bucket and prefix. Only the ledger keeps it: what it knows to be
	// stored is stored there and nowhere else.
	Place string `json:"-"`
}

// Difference says, about the archive there, the first thing that it has otherwise
// than the archive here, which is the configuration's; "" when they are one.
func (there ArchiveIdentity) Difference(here ArchiveIdentity) string {
	switch {
	case there.LayoutVersion != here.LayoutVersion:
		return fmt.Sprintf("has layout version %d, this program's is %d", there.LayoutVersion, here.LayoutVersion)
	case there.KeyCheck != here.KeyCheck:
		return "was begun with another archive.subject_key"
	case there.TenancyName != here.TenancyName:
		return fmt.Sprintf("belongs to tenant %q, vlens.tenancy_name is %q", there.TenancyName, here.TenancyName)
	case there.Place != here.Place:
		return fmt.Sprintf("is in %q, the configuration says %q; after the whole bucket was moved, correct archive.archive.place by hand", there.Place, here.Place)
	case there.Origin != here.Origin:
		return fmt.Sprintf("names its log %q, evidence.origin is %q", there.Origin, here.Origin)
	}
	return ""
}

// Accept compares what a bucket says under the key with the identity that the
// configuration yields: ErrForeignArchive says what differs.
func (there ArchiveIdentity) Accept(key string, here ArchiveIdentity) error {
	there.Place = here.Place // a bucket does not state it
	if what := there.Difference(here); what != "" {
		return fmt.Errorf("%w: %q: it %s", ErrForeignArchive, key, what)
	}
	return nil
}

// LargestSkew is how far this machine's clock may be from the ledger's. Times in
// records come from here, due times from there.
const LargestSkew = 5 * time.Second

// SyncRequest is one pass over the user query on behalf of a run.
type SyncRequest struct {
	RunID            string
	Process          string
	Key              SubjectKey
	AllowPersonalIDs bool
	AcceptLeft       bool
}

// SyncResult is what a pass over the user query found.
type SyncResult struct {
	Users    int64 // rows of the query
	New      int64
	Changed  int64 // verified since they were last found complete, or with a transaction that is not archived
	Returned int64 // had left, are there again
	Left     int64 // marked left by this pass
	// LeftHeld is the number of users who would have been marked left, had it
	// not been more than the guard allows; then none is.
	LeftHeld int64
	// Undated is of how many users verified_at is no time of a verification, such as
	// 0001-01-01; it counts as unknown.
	Undated int64
}

// DueReason says why a user is due.
type DueReason string

// The reasons.
const (
	DueNew      DueReason = "new"
	DueChanged  DueReason = "changed"
	DueReturned DueReason = "returned"
	DueRetry    DueReason = "retry"   // failed, partial, no_images or not_found before
	DueRecheck  DueReason = "recheck" // archived before
)

// DueReasons holds all reasons in the order in which a plan shows them.
var DueReasons = []DueReason{DueNew, DueChanged, DueReturned, DueRetry, DueRecheck}

// PlanFigures is what a run would find, and what runs cost so far.
type PlanFigures struct {
	Sync          SyncResult
	Due           map[DueReason]int64
	Unverified    int64   // of those due, to be asked about again: Vlens knew no such user or had no image
	DueListings   int64   // of those due, users of whom a listing is expected and no image
	ImagesPerUser float64 // of users archived so far; 0 without history
	BytesPerImage float64 // bytes; 0 without history
}

// ClaimOrder says which due users a batch takes.
type ClaimOrder string

// The orders.
const (
	// NewestFirst takes the users verified last.
	NewestFirst ClaimOrder = "newest"
	// LongestDue takes the retries and rechecks that have waited longest, and fills
	// the batch with others.
	LongestDue ClaimOrder = "longest_due"
)

// Remaining says whether a process may leave its run.
type Remaining struct {
	Due int64 // users the run may still claim now; counted up to a bound
	// Leased counts users in the hands of live processes: those of this run, and,
	// while this run may claim users, those of other runs whom it is for too, should
	// their process be dead.
	Leased  int64
	Others  int64 // other live processes of the run
	Closing bool  // another live process is closing the run
}

// UntoldRequests stands among endpoints for the requests of killed processes
// which are known from their users, but not by endpoint.
const UntoldRequests = "untold"

// RunTotals is the statement of a run, as summary.json tells it.
type RunTotals struct {
	Run             Run
	Users           map[State]int64 // all users of the archive, by state
	UsersLeft       int64           // of these, no longer in the source
	UsersUnlisted   int64           // of these, no longer listed by Vlens, though something is stored
	UsersTotal      int64
	Outcomes        map[Outcome]int64
	Failures        map[Class]int64
	Images          int64 // stored by this run
	Bytes           int64
	Requests        map[string]int64 // by endpoint, and UntoldRequests
	OldestPendingAt time.Time        // zero when nobody is pending
	Sync            SyncResult
	DueLeft         int64 // users still due when the run was closed
}

// manyUsers is how many users a run must have for their ends to say something of
// all of them.
const manyUsers = 20

// FoundNobody reports whether the vendor has none of the many users of the run, or
// no image of any.
func (t RunTotals) FoundNobody() bool {
	var users int64
	for _, n := range t.Outcomes {
		users += n
	}
	return users >= manyUsers && t.Outcomes[OutcomeNotFound]+t.Outcomes[OutcomeNoImages] == users
}

// RunEntry is one user of a run, as a line of the run's manifest tells it.
type RunEntry struct {
	Subject     Subject
	Outcome     Outcome
	State       State // in which it left the user; "" in outcomes of earlier builds
	Class       Class
	Transaction string
	Record      RecordRef
	Images      []Image // the current images of the transaction
	Requests    int
}

// RunObject is an object that a run wrote.
type RunObject struct {
	Key       string
	VersionID string
	SHA256    string
}

// RunCounts is what a process has done so far in its run; the ledger keeps the
// last one each process told.
type RunCounts struct {
	Requests map[string]int64 // by endpoint
}
