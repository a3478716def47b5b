package export

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// ErrNothing says that nothing is archived for a subject.
var ErrNothing = errors.New("nothing is archived for this user")

// Ledger is what an export reads of the ledger, and the one row that it adds.
type Ledger interface {
	AuditSubject(ctx context.Context, subject store.Subject) (store.SubjectRows, error)
	LedgerID(ctx context.Context) (string, error)
	// AddAccess adds a row to the access log if state, which writes the statement
	// of it, succeeds, and returns the error of state as it is.
	AddAccess(ctx context.Context, access store.Access, state func(context.Context) error) error
}

// Bucket is what an export reads of the bucket, and the one object that it
// writes.
type Bucket interface {
	audit.Getter
	audit.Lister
	audit.Putter
}

// Exporter hands out the evidence of one subject at a time.
type Exporter struct {
	Ledger Ledger
	Bucket Bucket
	Layout manifest.Layout
	// Identity is the archive that the bucket must hold.
	Identity store.ArchiveIdentity
	// VerifierKey checks the log's checkpoint; "" when it is not known here.
	VerifierKey string
	Actor       string // the account that runs the program
	Tool        manifest.Tool
}

// Export writes everything that is archived for the subject to place: each
// record of each transaction, the images they state, and for each record the
// proof that it is in the log.
//
// Who takes it, whose it is and why is stated in bucket and ledger before the
// place gets its first byte of an image; when that fails nothing is exported.
// What is not as it was recorded is audit.ErrDamaged, and place is left as it was.
func (e Exporter) Export(ctx context.Context, subject store.Subject, reason string, place Place) (Index, error) {
	if err := audit.CheckReason(reason); err != nil {
		return Index{}, err
	}
	if err := audit.CheckArchive(ctx, e.Bucket, e.Layout, e.Identity); err != nil {
		return Index{}, err
	}
	to, err := place.open()
	if err != nil {
		return Index{}, err
	}
	index, err := e.export(ctx, subject, reason, to)
	if err == nil {
		err = to.commit()
	}
	if err != nil {
		to.abort()
		return Index{}, err
	}
	return index, nil
}

func (e Exporter) export(ctx context.Context, subject store.Subject, reason string, to sink) (Index, error) {
	found, err := e.gather(ctx, subject)
	if err != nil {
		return Index{}, fmt.Errorf("gather the evidence: %w", err)
	}
	head, err := e.prove(ctx, found)
	if err != nil {
		return Index{}, fmt.Errorf("prove that the records are in the log: %w", err)
	}

	now := manifest.Time(time.Now())
	id := manifest.NewStatementID(store.ActionExport, now)
	if err := e.state(ctx, id, store.Access{
		At: now, Action: store.ActionExport, Actor: e.Actor, Subject: subject, Reason: reason,
		Objects: len(found.records) + len(found.images), AuditKey: e.Layout.Audit(now, id),
	}); err != nil {
		return Index{}, fmt.Errorf("state the export, without which there is none: %w", err)
	}

	index := e.describe(found, head)
	index.ID, index.ExportedAt = id, now
	if err := e.write(ctx, index, found, head, to); err != nil {
		return Index{}, fmt.Errorf("write the export: %w", err)
	}
	return index, nil
}

// state leaves the trace of the export, in the bucket and in the ledger or in
// neither.
func (e Exporter) state(ctx context.Context, id string, access store.Access) error {
	ledgerID, err := e.Ledger.LedgerID(ctx)
	if err != nil {
		return err
	}
	body, err := manifest.NewExportStatement(id, ledgerID, access, e.Tool).Encode()
	if err != nil {
		return err
	}
	access.AuditSHA256 = audit.HashOf(body)
	return e.Ledger.AddAccess(ctx, access, func(ctx context.Context) error {
		return audit.PutStatement(ctx, e.Bucket, access.AuditKey, body)
	})
}
