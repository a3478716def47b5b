package store

import "time"

// RebuiltRecord is a record as it stands in the bucket, with the images that it
// states and what they say of how the attempt ended.
type RebuiltRecord struct {
	RecordRef
	Subject Subject
	RunID   string
	Images  []Image
	Outcome Outcome
	Class   Class
}

// RebuiltRun is a closed run as its files state it.
type RebuiltRun struct {
	Run
	LeftHeld   int64 // see SyncResult
	SumsKey    string
	SumsSHA256 string
	// CheckpointAt is when a checkpoint was put beside its files; zero when there
	// is none.
	CheckpointAt time.Time
}

// RebuiltOutcome is a user of a run as the run's manifest states it.
type RebuiltOutcome struct {
	Subject      Subject
	Outcome      Outcome
	Class        Class
	Transaction  string // the folder; "" when none is known
	RecordKey    string
	RecordSHA256 string
	State        State // in which it left the user; "" in manifests that do not say it
	Requests     int
}

// Rebuilt is what a ledger holds after it was filled from the bucket.
type Rebuilt struct {
	Records       int64 `json:"records"`
	Images        int64 `json:"images"` // stored ones
	Runs          int64 `json:"runs"`
	Outcomes      int64 `json:"outcomes"`
	Subjects      int64 `json:"subjects"`
	Linked        int64 `json:"linked"` // of the subjects, those whom the source has
	DueAtOnce     int64 `json:"due_at_once"`
	LogEntries    int64 `json:"log_entries"`
	LostEntries   int64 `json:"lost_entries"` // of the log's, those whose object is in no place
	Waiting       int64 `json:"waiting"`      // entries without a place in the log
	Exports       int64 `json:"exports"`
	Verifications int64 `json:"verifications"`
	Exceptions    int64 `json:"exceptions"` // of all acts
}
