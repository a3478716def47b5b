package verify

import (
	"context"
	"encoding/json"
	"fmt"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// leaveTrace states the verification in the bucket and in the ledger: in both, or in
// the one where this auditor may write. Who may write to neither still gets the
// report, with a warning.
func (v *Verifier) leaveTrace(ctx context.Context, r *Report) error {
	v.conclude(r)
	scope, err := json.Marshal(r.Scope)
	if err != nil {
		return fmt.Errorf("state the scope: %w", err)
	}
	done := store.Verification{
		StartedAt: r.StartedAt, EndedAt: r.EndedAt, Mode: v.Mode, Scope: scope,
		Objects: r.Counts.Objects, Records: r.Counts.Records, Damaged: r.Damaged, Findings: make(map[string]int64),
	}
	for sort, n := range r.Totals {
		done.Findings[string(sort)] = n
	}
	ledgerID, err := v.Ledger.LedgerID(ctx)
	if err != nil {
		return err
	}
	id := manifest.NewStatementID("verify", r.StartedAt)
	key := v.Layout.Audit(r.StartedAt, id)
	statement := manifest.NewVerificationStatement(id, ledgerID, v.Actor, done, v.Tool)
	body, err := statement.Encode()
	if err != nil {
		return err
	}

	var unstated error
	attempted := false
	row := done
	row.AuditKey, row.AuditSHA256 = key, audit.HashOf(body)
	err = v.Ledger.AddVerification(ctx, row, func(ctx context.Context) error {
		attempted = true
		unstated = audit.PutStatement(ctx, v.Bucket, key, body)
		return unstated
	})
	switch {
	case err == nil:
		r.AuditKey = key
	case ctx.Err() != nil:
		return err
	case unstated != nil:
		v.found.add(Finding{NotRecorded, key, "the statement: " + unstated.Error()})
		if err := v.Ledger.AddVerification(ctx, done, func(context.Context) error { return nil }); err != nil {
			v.found.add(Finding{NotRecorded, key, "the row in the ledger: " + err.Error()})
		}
	case attempted:
		r.AuditKey = key
		v.found.add(Finding{NotRecorded, key, "the row in the ledger: " + err.Error()})
	default:
		v.found.add(Finding{NotRecorded, key, "the row in the ledger: " + err.Error()})
		statement.Unrecorded = true
		if body, err = statement.Encode(); err != nil {
			return err
		}
		if err := audit.PutStatement(ctx, v.Bucket, key, body); err != nil {
			v.found.add(Finding{NotRecorded, key, "the statement: " + err.Error()})
		} else {
			r.AuditKey = key
		}
	}
	v.conclude(r)
	return ctx.Err()
}
