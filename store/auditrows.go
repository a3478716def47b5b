package store

// AuditScope says which subjects an audit reads: all of them, those with an
// outcome in a run, or one.
type AuditScope struct {
	RunID   string
	Subject Subject
}

// SubjectRows is what the ledger says of one subject, all of it of one moment.
type SubjectRows struct {
	Subject Subject
	// Live says that a live process works on the subject; Unsettled that an
	// attempt may have died half-way, or that the next one is due.
	Live      bool
	Unsettled bool
	// Listed says that the ledger's list of users has the subject, UserID as
	// whom; "" when the user is no longer known.
	Listed  bool
	UserID  string
	Images  []ImageRow  // in the order in which they were added
	Records []RecordRow // by transaction and sequence
	Cited   []CitedRecord
}

// ImageRow is a row of the ledger's images.
type ImageRow struct {
	Transaction string
	RunID       string
	Image
}

// RecordRow is a row of the ledger's records, with its entry in the log.
type RecordRow struct {
	RecordRef
	RunID string
	// LogIndex and LogSHA256 are the entry's; -1 and "" when it has none yet.
	LogIndex  int64
	LogSHA256 string
}

// CitedRecord is a record as an outcome cites it.
type CitedRecord struct {
	Key    string
	SHA256 string
}

// RunUserRow is a row of the ledger's outcomes.
type RunUserRow struct {
	Subject     Subject
	Outcome     Outcome
	State       State // in which it left the user; "" in outcomes of earlier builds
	Class       Class
	Transaction string
	Record      CitedRecord
	Requests    int
	// Stored are the stored images of the transaction, by their keys.
	Stored map[string]StoredBytes
}

// StoredBytes is the content of a stored image.
type StoredBytes struct {
	SHA256 string
	Bytes  int64
}

// RunCheck is a run with the figures that its outcomes and images add up to.
type RunCheck struct {
	Run
	Outcomes map[Outcome]int64
	Failures map[Class]int64
	Images   int64
	Bytes    int64
	// LogIndex and LogSHA256 are the entry of its SHA256SUMS in the log; -1 and
	// "" when it has none yet.
	LogIndex  int64
	LogSHA256 string
	// Checkpointed says that a checkpoint was put beside the files.
	Checkpointed bool
}

// LogRow is an entry of the log as the ledger has it.
type LogRow struct {
	Index  int64
	SHA256 string
	Kind   string // record, run or statement
	Key    string
	// Known says that the ledger has the record, run or statement; SHA256There is
	// the hash that it has there, "" for a run.
	Known       bool
	SHA256There string
}

// Unbacked is a claim of the ledger that no record of it backs: an outcome that
// cites a record, or, with an empty key, a subject who is archived.
type Unbacked struct {
	Subject   Subject
	RecordKey string
}
