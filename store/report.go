package store

import "time"

// ReportScope says what a report is about: one run, or else a period.
type ReportScope struct {
	RunID string
	// Since is the begin of the period; zero is midnight UTC 29 days ago, which
	// makes thirty days with today. Until is its end, exclusive; zero is now.
	Since, Until time.Time
}

// Report is what the ledger says about a run or a period, all of it of one
// moment, in numbers only: nobody is named, not even by pseudonym. Its JSON form
// is what `report --json` prints. Times that are nil are unknown or did not
// come.
//
// The ledger keeps no history of states, so Users, Waiting and Standing of
// Failures are as of MadeAt; all else is about the run or the period.
type Report struct {
	MadeAt        time.Time      `json:"made_at"` // by the clock of the ledger
	SchemaVersion int64          `json:"schema_version"`
	Archive       *ReportArchive `json:"archive"` // nil before the first run
	Run           *ReportRun     `json:"run"`     // nil when it is about a period
	Since         time.Time      `json:"since"`
	Until         time.Time      `json:"until"` // exclusive

	Users    ReportUsers     `json:"users"`
	Waiting  ReportWaiting   `json:"waiting"`
	Work     ReportWork      `json:"work"`
	Failures []ReportFailure `json:"failures"` // in the order of Classes
	Runs     ReportRuns      `json:"runs"`
	Quota    ReportQuota     `json:"quota"`
	Stored   ReportStored    `json:"stored"`

	StepSeconds int64         `json:"step_seconds"` // between two points
	Points      []ReportPoint `json:"points"`

	Verifications ReportVerifications `json:"verifications"`
	Log           ReportLog           `json:"log"`
}

// ReportArchive says which archive the report is about.
type ReportArchive struct {
	Origin    string    `json:"origin"`
	Tenancy   string    `json:"tenancy_name"`
	Place     string    `json:"place"` // bucket and prefix
	CreatedAt time.Time `json:"created_at"`
}

// ReportUsers is the statement of completeness: all users, by the state of their
// newest verification.
type ReportUsers struct {
	Total  int64           `json:"total"`
	States map[State]int64 `json:"states"` // every state
	// Left is how many the source no longer has; LeftStates are these by state.
	Left       int64           `json:"left"`
	LeftStates map[State]int64 `json:"left_states"`
	// Accepted is the users in the source whose failure a person has accepted;
	// AcceptedStates are these by state: failed or partial.
	Accepted       int64           `json:"accepted"`
	AcceptedStates map[State]int64 `json:"accepted_states"`
	// Unlisted is how many Vlens no longer lists, though something of them is stored.
	Unlisted int64 `json:"unlisted"`
	// Unexplained is users in no known state, or failed or partial without a
	// class of the table; it must be 0.
	Unexplained int64 `json:"unexplained"`
	DueNow      int64 `json:"due_now"` // users whom a run would take up at MadeAt
	// Read is the last pass over the user query: when, how many rows it had, and
	// how many users it left unmarked because suspiciously many were missing.
	ReadAt   *time.Time `json:"read_at"`
	ReadRows int64      `json:"read_rows"`
	LeftHeld int64      `json:"left_held"`
}

// Open is the users in the source who still lack something: pending, partial or
// failed, unless a person has accepted it.
func (u ReportUsers) Open() int64 {
	var open int64
	for _, state := range []State{StatePending, StatePartial, StateFailed} {
		open += u.States[state] - u.LeftStates[state] - u.AcceptedStates[state]
	}
	return open
}

// ReportWaiting is the users in the source who wait for their first attempt, by
// the time since they were verified, or first seen.
type ReportWaiting struct {
	Day      int64      `json:"day"`   // for less than a day
	Week     int64      `json:"week"`  // for a day or more, less than seven
	Month    int64      `json:"month"` // for seven days or more, less than thirty
	Longer   int64      `json:"longer"`
	OldestAt *time.Time `json:"oldest_at"`
}

// ReportWork is what the run, or all runs in the period, did. An attempt is one
// user in one run: it has one outcome.
type ReportWork struct {
	Attempts int64             `json:"attempts"`
	Outcomes map[Outcome]int64 `json:"outcomes"` // every outcome
	Requests int64             `json:"requests"` // to Vlens, for these attempts
	Images   int64             `json:"images"`   // stored
	Bytes    int64             `json:"bytes"`    // of these images
	Seconds  int64             `json:"seconds"`  // that the runs lasted, together
}

// ReportFailure is one failure class that somebody met or stands in.
type ReportFailure struct {
	Class    Class      `json:"class"`
	Attempts int64      `json:"attempts"` // that met it
	Standing int64      `json:"standing"` // users who are failed or partial with it
	OldestAt *time.Time `json:"oldest_at"`
	Settled  bool       `json:"settled"` // trying again soon cannot mend it
	Meaning  string     `json:"meaning"`
	Remedy   string     `json:"remedy"`
}

// ReportRuns is the runs that began in the period, or the one run.
type ReportRuns struct {
	Total       int64       `json:"total"`
	Open        int64       `json:"open"`
	Closed      int64       `json:"closed"`
	Interrupted int64       `json:"interrupted"`
	Last        []ReportRun `json:"last"` // the last ones, newest first
}

// ReportRun is one run.
type ReportRun struct {
	ID        string            `json:"run_id"`
	Kind      RunKind           `json:"kind"`
	Status    RunStatus         `json:"status"`
	StartedAt time.Time         `json:"started_at"`
	EndedAt   *time.Time        `json:"ended_at"`
	Attempts  int64             `json:"attempts"`
	Outcomes  map[Outcome]int64 `json:"outcomes"` // every outcome
	Images    int64             `json:"images"`
	Bytes     int64             `json:"bytes"`
	Requests  int64             `json:"requests"`
}

// ReportQuota is the requests to Vlens and when they were made. Requests count
// in the hour in which their attempt ended.
type ReportQuota struct {
	Endpoints map[string]int64 `json:"endpoints"` // all requests, also those of no attempt
	Hours     [24]int64        `json:"hours"`     // requests by hour of the day, UTC
	// BusiestAt is the hour with the most requests.
	BusiestAt *time.Time `json:"busiest_at"`
	Busiest   int64      `json:"busiest"`
}

// ReportStored is all that is archived at the end of the period.
type ReportStored struct {
	Images int64 `json:"images"`
	Bytes  int64 `json:"bytes"`
}

// ReportPoint is one step of the time that a report is about.
type ReportPoint struct {
	From     time.Time `json:"from"`
	Users    int64     `json:"users"`    // known at its end
	Archived int64     `json:"archived"` // of these, completely archived by then
	Images   int64     `json:"images"`   // stored at its end
	Bytes    int64     `json:"bytes"`    // of these images
	Attempts int64     `json:"attempts"` // that ended in it
	Requests int64     `json:"requests"` // of these attempts
}

// ReportVerifications is the checks that ended in the period.
type ReportVerifications struct {
	Total   int64                `json:"total"`
	Damaged int64                `json:"damaged"` // of these, how many found damage
	Last    []ReportVerification `json:"last"`    // the last ones, newest first
}

// ReportVerification is one check of the archive.
type ReportVerification struct {
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at"`
	Mode      string    `json:"mode"`
	// Scope names what narrowed the check, such as "sample" or "run"; empty when
	// it was of everything.
	Scope   []string `json:"scope"`
	Objects int64    `json:"objects"`
	Records int64    `json:"records"`
	Damaged int64    `json:"damaged"`
}

// ReportLog is the evidence log at MadeAt.
type ReportLog struct {
	Entries int64      `json:"entries"`
	Records int64      `json:"records"` // that the ledger knows
	Waiting int64      `json:"waiting"` // of these, not yet in the log
	LastAt  *time.Time `json:"last_at"` // when the last entry was assigned
	// Sealed entries are under the last signed checkpoint, of SealedAt.
	Sealed   int64      `json:"sealed"`
	SealedAt *time.Time `json:"sealed_at"`
}
