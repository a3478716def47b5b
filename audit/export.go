package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// ErrNothing says that nothing is archived for a subject.
var ErrNothing = errors.New("nothing is archived for this user")

// ExportLedger is what an export needs of the ledger.
type ExportLedger interface {
	AuditSubject(ctx context.Context, subject store.Subject) (store.SubjectRows, error)
	// AddAccess adds a row to the access log if state, which writes the statement
	// of it, succeeds, and returns the error of state as it is.
	AddAccess(ctx context.Context, access store.Access, state func(context.Context) error) error
}

// Exporter hands out the evidence of one subject at a time.
type Exporter struct {
	Ledger ExportLedger
	Bucket Objects
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
// What is not as it was recorded is ErrDamaged, and place is left as it was.
func (e Exporter) Export(ctx context.Context, subject store.Subject, reason string, place Place) (Export, error) {
	if err := CheckReason(reason); err != nil {
		return Export{}, err
	}
	if err := CheckArchive(ctx, e.Bucket, e.Layout, e.Identity); err != nil {
		return Export{}, err
	}
	to, err := place.open()
	if err != nil {
		return Export{}, err
	}
	export, err := e.export(ctx, subject, reason, to)
	if err == nil {
		err = to.commit()
	}
	if err != nil {
		to.abort()
		return Export{}, err
	}
	return export, nil
}

func (e Exporter) export(ctx context.Context, subject store.Subject, reason string, to sink) (Export, error) {
	found, err := e.gather(ctx, subject)
	if err != nil {
		return Export{}, fmt.Errorf("gather the evidence: %w", err)
	}
	head, err := e.prove(ctx, found)
	if err != nil {
		return Export{}, fmt.Errorf("prove that the records are in the log: %w", err)
	}

	now := manifest.Time(time.Now())
	id := manifest.NewStatementID(store.ActionExport, now)
	if err := e.state(ctx, id, store.Access{
		At: now, Action: store.ActionExport, Actor: e.Actor, Subject: subject, Reason: reason,
		Objects: len(found.records) + len(found.images), AuditKey: e.Layout.Audit(now, id),
	}); err != nil {
		return Export{}, fmt.Errorf("state the export, without which there is none: %w", err)
	}

	export := e.describe(found, head)
	export.ID, export.ExportedAt = id, now
	if err := e.write(ctx, export, found, head, to); err != nil {
		return Export{}, fmt.Errorf("write the export: %w", err)
	}
	return export, nil
}

// state leaves the trace of the export, in the bucket and in the ledger or in
// neither.
func (e Exporter) state(ctx context.Context, id string, access store.Access) error {
	body, err := manifest.NewExportStatement(id, access, e.Tool).Encode()
	if err != nil {
		return err
	}
	access.AuditSHA256 = hexHash(body)
	return e.Ledger.AddAccess(ctx, access, func(ctx context.Context) error {
		return putStatement(ctx, e.Bucket, access.AuditKey, body)
	})
}

// verifier is nil when the key is not known.
func (e Exporter) verifier() (note.Verifier, error) {
	if e.VerifierKey == "" {
		return nil, nil
	}
	return note.NewVerifier(e.VerifierKey)
}
