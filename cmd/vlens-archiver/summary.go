package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/worker"
)

// statedRun is what run and backfill print with --json: the fields of the run's
// summary.json, and what became of this process's part. Log is the last checkpoint
// when this process left; unlike that in summary.json it covers the entry of a
// closed run. EndedAt is null while the run is open; Stopped is null, "time_box",
// "limit" or "signal".
type statedRun struct {
	manifest.Summary
	EndedAt         *time.Time `json:"ended_at"`
	AlreadyComplete bool       `json:"already_complete"`
	Closed          bool       `json:"closed"`
	Stopped         *string    `json:"stopped"`
	WorkLeft        bool       `json:"work_left"`
}

func stateRun(report worker.Report) statedRun {
	totals := report.Totals
	stated := statedRun{
		Summary:         manifest.NewSummary(totals, totals.Run.Status, totals.Run.EndedAt, tool()),
		EndedAt:         moment(totals.Run.EndedAt),
		AlreadyComplete: report.AlreadyComplete,
		Closed:          report.Closed,
		WorkLeft:        report.WorkLeft,
	}
	stated.Log = manifest.NewLogHead(report.Log.Head)
	stated.Notes = append(stated.Notes, report.Notes...)
	if why := stoppedBy(report); why != "" {
		stated.Stopped = &why
	}
	return stated
}

func stoppedBy(report worker.Report) string {
	switch {
	case errors.Is(report.Stopped, worker.ErrTimeBox):
		return "time_box"
	case errors.Is(report.Stopped, worker.ErrLimit):
		return "limit"
	case errors.Is(report.Stopped, worker.ErrSignal):
		return "signal"
	}
	return ""
}

func (p *program) printSummary(report worker.Report, asJSON bool) error {
	if asJSON {
		return p.printJSON(stateRun(report))
	}
	return p.print(summaryText(report))
}

func summaryText(report worker.Report) string {
	totals := report.Totals
	var text page
	text.line("run %s: %s", totals.Run.ID, runState(report))
	text.line("started %s, ended %s", instant(totals.Run.StartedAt), instant(totals.Run.EndedAt))

	text.line("")
	rows := [][]string{{"OUTCOME", "USERS"}}
	var users int64
	for _, outcome := range store.Outcomes {
		n := totals.Outcomes[outcome]
		users += n
		if n > 0 {
			rows = append(rows, []string{string(outcome), progress.Count(n)})
		}
	}
	text.table(append(rows, []string{"total", progress.Count(users)}))
	failureTable(&text, totals.Failures)

	text.line("")
	text.line("%s images, %s, %s", progress.Count(totals.Images), progress.Bytes(totals.Bytes), requestsText(totals.Requests))
	text.line("archive: %s", statesText(totals.Users, totals.UsersTotal, totals.UsersLeft, totals.UsersUnlisted))
	if head := report.Log.Head; head.Size > 0 {
		text.line("log: %s entries under the signed checkpoint, root %s", progress.Count(head.Size), head.Root)
	}
	for _, note := range report.Notes {
		text.line("note: %s", note)
	}
	return text.String()
}

// runState is the status of the run, and why this process left it.
func runState(report worker.Report) string {
	status := string(report.Totals.Run.Status)
	switch stoppedBy(report) {
	case "time_box":
		status += ", this process's time was over"
	case "limit":
		status += ", this process has archived as many users as --limit allows"
	case "signal":
		status += ", this process was stopped by a signal"
	}
	if report.AlreadyComplete {
		status += " before this process came; nothing was done"
	}
	if report.WorkLeft {
		status += fmt.Sprintf("; %s users are still due", progress.Count(report.Totals.DueLeft))
	}
	return status
}

// failureTable lists failures by class with what to do about each.
func failureTable(text *page, failures map[store.Class]int64) {
	rows := [][]string{{"FAILURE", "USERS", "TRIED AGAIN", "WHAT IT IS", "WHAT TO DO"}}
	for _, info := range store.Classes {
		if n := failures[info.Class]; n > 0 {
			rows = append(rows, []string{string(info.Class), progress.Count(n), pace(info.Settled), info.Meaning, info.Remedy})
		}
	}
	if len(rows) > 1 {
		text.line("")
		text.table(rows)
	}
}

// pace says how soon users who failed so are tried again.
func pace(settled bool) string {
	if settled {
		return "slowly"
	}
	return "soon"
}

func requestsText(requests map[string]int64) string {
	var total int64
	var parts []string
	for _, endpoint := range slices.Sorted(maps.Keys(requests)) {
		total += requests[endpoint]
		parts = append(parts, fmt.Sprintf("%s %s", endpoint, progress.Count(requests[endpoint])))
	}
	if total == 0 {
		return "no requests"
	}
	return fmt.Sprintf("%s requests (%s)", progress.Count(total), strings.Join(parts, ", "))
}

// statesText says where all users stand: "1,000 users: archived 990, pending 10".
func statesText(states map[store.State]int64, total, left, unlisted int64) string {
	var parts []string
	for _, state := range store.States {
		if n := states[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", state, progress.Count(n)))
		}
	}
	text := progress.Count(total) + " users"
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if left > 0 {
		text += fmt.Sprintf("; %s of them left the source", progress.Count(left))
	}
	if unlisted > 0 {
		text += fmt.Sprintf("; %s of whom something is stored are no longer listed by Vlens", progress.Count(unlisted))
	}
	return text
}
