package app

import (
	"context"
	"io"

	"vlens-archiver/audit/report"
	"vlens-archiver/store"
)

// runReporter writes the report of a run for the process that closes it.
type runReporter struct{ *App }

// WriteRunReport is the page about a run that now ends with the status.
func (r runReporter) WriteRunReport(ctx context.Context, out io.Writer, runID string, status store.RunStatus) error {
	figures, err := r.Ledger.Report(ctx, store.ReportScope{RunID: runID})
	if err != nil {
		return err
	}
	figures.Run.Status, figures.Run.EndedAt = status, &figures.MadeAt
	return report.Write(out, report.Page{
		Report:    figures,
		Tool:      r.options.Tool,
		PerMinute: PerMinute(r.cfg.Vlens.Quota, r.options.RunPerMinute),
	})
}
