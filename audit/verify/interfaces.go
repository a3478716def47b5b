package verify

import (
	"context"
	"iter"

	"vlens-archiver/audit"
	"vlens-archiver/store"
)

// Ledger is what verification reads of the ledger, and the one row that it adds.
// Sequences end with their first error.
type Ledger interface {
	Archive(ctx context.Context) (store.ArchiveIdentity, error)
	CountObjects(ctx context.Context) (int64, error)
	AuditSubjects(ctx context.Context, scope store.AuditScope) iter.Seq2[store.SubjectRows, error]
	AuditSubject(ctx context.Context, subject store.Subject) (store.SubjectRows, error)
	AuditUnbacked(ctx context.Context) iter.Seq2[store.Unbacked, error]
	AuditRuns(ctx context.Context, runID string, sums func(store.Run) string) iter.Seq2[store.RunCheck, error]
	AuditRunUsers(ctx context.Context, runID string) iter.Seq2[store.RunUserRow, error]
	AuditRunObjects(ctx context.Context, runID string) iter.Seq2[store.RunObject, error]
	AuditLog(ctx context.Context) iter.Seq2[store.LogRow, error]
	// LedgerID is the ledger's name in statements; "" before the first run.
	LedgerID(ctx context.Context) (string, error)
	LogState(ctx context.Context) (store.LogState, error)
	// AuditStatements reads the rows that name a statement in the bucket, by its
	// key; with keys, only those that name one of them.
	AuditStatements(ctx context.Context, keys ...string) ([]store.StatedRow, error)
	// AddVerification keeps the row if state, which writes the statement of it,
	// succeeds, and returns the error of state as it is.
	AddVerification(ctx context.Context, v store.Verification, state func(context.Context) error) error
}

// Bucket is what verification reads of the bucket, and the one object that it
// writes.
type Bucket interface {
	audit.Getter
	audit.Lister
	audit.Putter
	Head(ctx context.Context, key, versionID string) (store.Object, error)
	Location() store.Location
}
