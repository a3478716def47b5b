package store

// EntryKind says what an entry of the evidence log is the hash of.
type EntryKind string

// The kinds of entries.
const (
	EntryRecord EntryKind = "record" // a record's exact bytes
	EntryRun    EntryKind = "run"    // a run's SHA256SUMS
	// EntryStatement: a statement's exact bytes
	EntryStatement EntryKind = "statement"
)

// LogEntry is one entry of the evidence log. Once an index is assigned, the
// entry never changes.
type LogEntry struct {
	Index  int64 // from 0 without a gap
	SHA256 string
	Kind   EntryKind
	Key    string // of the record, of SHA256SUMS or of the statement
}

// LogHead is the log as it was last known to be published. The zero value is a
// log that never was.
type LogHead struct {
	Size int64  // entries
	Root string // base64 of the tree's root hash
	ETag string // of the checkpoint object
}

// LogState says how much of what is archived stands in the published log.
type LogState struct {
	Head    LogHead
	Entries int64 // with an index, under the head or not yet
	Waiting int64 // records, closed runs and statements without one
	// Runs counts the closed runs beside whose files no checkpoint was put yet,
	// of those that are under the head.
	Runs int64
}

// Unsealed is how many records, closed runs and statements are under no checkpoint.
func (s LogState) Unsealed() int64 { return s.Entries - s.Head.Size + s.Waiting }

// SealLease is the sole right to extend the log, held by one process.
type SealLease struct {
	Process string
	Token   int64
	Head    LogHead
}

// SealedRun is a closed run whose entry is under the head of the log.
type SealedRun struct {
	Run
	Index int64 // of its entry
}
