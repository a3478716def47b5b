package main

import (
	"errors"
	"fmt"
	"log/slog"

	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/worker"
)

// The errors of a run that was done without a fault.
var (
	errUsersFailed = errors.New("users failed or are partial")
	errFoundNobody = errors.New("no user of the run has images at Vlens")
	errWorkLeft    = errors.New("work is left")
)

// verdict is the error that this process's part in a run ends with: its failure,
// else a stop by signal, else users without all their images, or many users and
// none with any, else, with --strict, work left. Failed users are reported once, by
// the process that closed the run.
func verdict(report worker.Report, failure error, strict bool) error {
	outcomes := report.Totals.Outcomes
	incomplete := outcomes[store.OutcomeFailed] + outcomes[store.OutcomePartial]
	switch {
	case failure != nil:
		return failure
	case errors.Is(report.Stopped, worker.ErrSignal):
		return report.Stopped
	case report.Closed && incomplete > 0:
		return fmt.Errorf("run %q: %d %w", report.Totals.Run.ID, incomplete, errUsersFailed)
	case report.Closed && report.Totals.FoundNobody():
		return fmt.Errorf("run %q: %w", report.Totals.Run.ID, errFoundNobody)
	case strict && report.WorkLeft && !report.AlreadyComplete:
		return fmt.Errorf("run %q: %w: %d users are still due", report.Totals.Run.ID, errWorkLeft, report.Totals.DueLeft)
	}
	return nil
}

// logEnd logs how this process left the run. A person at a terminal reads the
// summary instead.
func logEnd(log *slog.Logger, runID string, report worker.Report, err error) {
	attributes := []any{"event", "run_left", "run_id", runID, "status", report.Totals.Run.Status, "exit_code", exitCode(err), "closed", report.Closed, "work_left", report.WorkLeft}
	if err != nil {
		attributes = append(attributes, "error", err.Error())
	}
	log.Info("run left", attributes...)
}

// closedRuns are the summaries of the runs that this process closed, as JSON.
func closedRuns(report worker.Report, log *slog.Logger) [][]byte {
	runs := report.Interrupted
	if report.Closed {
		runs = append(runs, report.Totals)
	}
	var summaries [][]byte
	for _, totals := range runs {
		summary := manifest.NewSummary(totals, totals.Run.Status, totals.Run.EndedAt, tool())
		if totals.Run.ID == report.Totals.Run.ID {
			summary.Notes = append(summary.Notes, report.Notes...)
		}
		body, err := summary.Encode()
		if err != nil {
			log.Warn("summary not encoded", "event", "notify_failed", "target", "webhook", "run_id", totals.Run.ID, "error", err.Error())
			continue
		}
		summaries = append(summaries, body)
	}
	return summaries
}
