package storetest

import (
	"context"
	"iter"
	"testing"
	"time"

	"vlens-archiver/store"
)

// Ledger is the audit trail and the list of work, as those who use it see it.
type Ledger interface {
	Clock(ctx context.Context) (time.Time, error)
	OpenArchive(ctx context.Context, identity store.ArchiveIdentity) error
	OpenRun(ctx context.Context, run store.Run) (store.Run, error)

	Enter(ctx context.Context, process, worker, runID string) error
	Beat(ctx context.Context, process string, counts store.RunCounts) error
	Leave(ctx context.Context, process string, counts store.RunCounts) error

	Sync(ctx context.Context, request store.SyncRequest) (store.SyncResult, error)
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

// LedgerBench is an empty ledger on the test bench, with what a test does to it
// from outside.
type LedgerBench struct {
	Ledger
	// SetUsers makes these the rows of the user query.
	SetUsers func(t *testing.T, users ...store.User)
	// Silence makes a process look as if it had not beaten for an hour.
	Silence func(t *testing.T, process string)
	// Age makes a run and what its processes did look an hour older.
	Age func(t *testing.T, runID string)
}

// RunLedgerSuite holds a ledger to its contract. Open gives a new empty one for
// each part of the suite.
func RunLedgerSuite(t *testing.T, open func(t *testing.T) LedgerBench) {
	for name, part := range map[string]func(b *ledgerTest){
		"archive":                    (*ledgerTest).archive,
		"runs":                       (*ledgerTest).runs,
		"sync":                       (*ledgerTest).sync,
		"sync holds mass leaving":    (*ledgerTest).syncGuard,
		"claim order":                (*ledgerTest).claimOrder,
		"claims are disjoint":        (*ledgerTest).claimsAreDisjoint,
		"one attempt per run":        (*ledgerTest).oneAttemptPerRun,
		"when a user is due":         (*ledgerTest).due,
		"standing":                   (*ledgerTest).standing,
		"findings":                   (*ledgerTest).findings,
		"rows without news":          (*ledgerTest).rowsWithoutNews,
		"dates of rows":              (*ledgerTest).datesOfRows,
		"a first transaction":        (*ledgerTest).firstTransaction,
		"changed while leased":       (*ledgerTest).changedWhileLeased,
		"fencing":                    (*ledgerTest).fencing,
		"commit repeated":            (*ledgerTest).commitRepeated,
		"lost process":               (*ledgerTest).lostProcess,
		"leaving frees users":        (*ledgerTest).leavingFreesUsers,
		"selection by id":            (*ledgerTest).selectionByID,
		"selection by filter":        (*ledgerTest).selectionByFilter,
		"known":                      (*ledgerTest).known,
		"transactions have one user": (*ledgerTest).transactions,
		"remaining":                  (*ledgerTest).remaining,
		"close":                      (*ledgerTest).close,
		"close of an abandoned run":  (*ledgerTest).closeAbandoned,
		"close given up":             (*ledgerTest).closeGivenUp,
		"totals and entries":         (*ledgerTest).totals,
		"log indexes":                (*ledgerTest).logIndexes,
		"log lease":                  (*ledgerTest).logLease,
		"log and runs":               (*ledgerTest).logRuns,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part(&ledgerTest{LedgerBench: open(t), T: t, key: Key(t)})
		})
	}
}
