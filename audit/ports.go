package audit

import (
	"context"
	"io"
	"iter"

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
	LogState(ctx context.Context) (store.LogState, error)
	AuditStatements(ctx context.Context) iter.Seq2[string, error]
	AddVerification(ctx context.Context, v store.Verification) error
}

// Bucket is what verification reads of the bucket, and the one object that it
// writes.
type Bucket interface {
	Head(ctx context.Context, key, versionID string) (store.Object, error)
	Get(ctx context.Context, key, versionID string) (io.ReadCloser, store.Object, error)
	ListVersions(ctx context.Context, prefix string) iter.Seq2[store.Object, error]
	Put(ctx context.Context, request store.PutRequest) (object store.Object, created bool, err error)
	Location() store.Location
}
