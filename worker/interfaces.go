package worker

import (
	"context"
	"io"
	"iter"
	"time"

	"vlens-archiver/store"
)

// Users is the company's user query together with the ledger's list of users.
type Users interface {
	// Sync brings the ledger's users up to date, once for a run: a process that
	// comes later waits for the one at work and gets its result.
	Sync(ctx context.Context, request store.SyncRequest) (store.SyncResult, error)
	// Lookup reads the rows of these users. A user who is gone is not in the map.
	Lookup(ctx context.Context, ids []string) (map[string]store.User, error)
}

// Ledger is the audit trail and the list of work. All its times are the
// database's.
type Ledger interface {
	Clock(ctx context.Context) (time.Time, error)
	OpenArchive(ctx context.Context, identity store.ArchiveIdentity) error
	OpenRun(ctx context.Context, run store.Run) (store.Run, error)

	Enter(ctx context.Context, process, worker, runID string) error
	Beat(ctx context.Context, process string, counts store.RunCounts) error
	Leave(ctx context.Context, process string, counts store.RunCounts) error

	Claim(ctx context.Context, run store.Run, process string, order store.ClaimOrder, n int) ([]store.Task, error)
	Known(ctx context.Context, subject store.Subject, transaction string, first store.Ref) (store.Known, error)
	Commit(ctx context.Context, process string, result store.Result) error

	Remaining(ctx context.Context, run store.Run, process string) (store.Remaining, error)
	Interrupted(ctx context.Context, exceptRunID string) ([]store.Run, error)
	BeginClose(ctx context.Context, runID, process string) (bool, error)
	Totals(ctx context.Context, runID string) (store.RunTotals, error)
	RunEntries(ctx context.Context, runID string) iter.Seq2[store.RunEntry, error]
	RunObjects(ctx context.Context, runID string) iter.Seq2[store.RunObject, error]
	FinishClose(ctx context.Context, runID, process string, status store.RunStatus, sums store.RunObject) error

	LogState(ctx context.Context) (store.LogState, error)
	BeginSeal(ctx context.Context, process string) (lease store.SealLease, mine bool, err error)
	AssignEntries(ctx context.Context, lease store.SealLease, n int) (entries int64, err error)
	LogEntries(ctx context.Context, from, to int64) ([]store.LogEntry, error)
	NoteCheckpoint(ctx context.Context, lease store.SealLease, head store.LogHead) error
	EndSeal(ctx context.Context, lease store.SealLease) error
	SealedRuns(ctx context.Context) ([]store.SealedRun, error)
	NoteRunCheckpoint(ctx context.Context, runID string) error
}

// Timestamper is an RFC 3161 time-stamping authority.
type Timestamper interface {
	// Timestamp returns a token over the SHA-256 of the message, checked to be
	// one, as a DER TimeStampResp.
	Timestamp(ctx context.Context, message []byte) ([]byte, error)
}

// Bucket is the archive's bucket. Keys are whole keys, prefix included.
type Bucket interface {
	// Put writes an object create-only and reports whether this call created
	// it. The same bytes under the key already are a success; other bytes are
	// store.ErrExists.
	Put(ctx context.Context, request store.PutRequest) (object store.Object, created bool, err error)
	Head(ctx context.Context, key, versionID string) (store.Object, error)
	Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error)
	List(ctx context.Context, prefix string) iter.Seq2[store.Object, error]
	Location() store.Location
}

// Reporter writes reports about runs for people.
type Reporter interface {
	// WriteRunReport writes the report of a run that now ends with the status.
	WriteRunReport(ctx context.Context, out io.Writer, runID string, status store.RunStatus) error
}
