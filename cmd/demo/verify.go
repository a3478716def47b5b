package main

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/app"
	"vlens-archiver/store"
)

// verify has the program's own verification read, hash and decode everything,
// and the whole of the signed log.
func (d *demo) verify(ctx context.Context) (report verify.Report, err error) {
	evidence, err := app.OpenEvidence(ctx, d.config)
	if err != nil {
		return report, err
	}
	defer evidence.Ledger.Close()
	key, err := note.NewVerifier(evidence.VerifierKey)
	if err != nil {
		return report, fmt.Errorf("verifier key of the demo: %w", err)
	}
	v := &verify.Verifier{
		Options: verify.Options{Mode: store.VerifyDeep, Sample: 100, Decode: 100, Seed: "demo", Parallel: d.config.Worker.Concurrency},
		Ledger:  evidence.Ledger, Bucket: evidence.Bucket, Layout: evidence.Layout, Identity: evidence.Identity,
		SubjectOf: evidence.Key.Subject, LogKey: key, Tool: tool, Actor: "demo",
	}
	if report, err = v.Verify(ctx); err != nil {
		return report, err
	}
	if report.Verdict != verify.Clean {
		return report, fmt.Errorf("the verification has findings: %v", report.Totals)
	}
	return report, nil
}
