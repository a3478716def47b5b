package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/doctor"
)

func (p *program) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Try out everything that a run depends on, and say what to do",
		Long: `Examines configuration, databases, user query, Vlens and the bucket. It costs two
requests of the quota. It writes nothing to the databases. Small objects under
<prefix>/doctor/ show what the bucket really enforces; they are taken away again
if the role may delete, which it should not.

Exit codes: 0 all well or warnings, 4 the configuration does not fit, 5 credentials
or permission refused, 1 anything else has failed.`,
		Example: "  vlens-archiver doctor\n  vlens-archiver doctor --json",
		Args:    noArguments,
		RunE: p.plain(func(ctx context.Context) error {
			return p.doctor(ctx, asJSON)
		}),
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (p *program) doctor(ctx context.Context, asJSON bool) error {
	show := func(result doctor.Result) {
		_ = p.print(resultLine(result)) // the print at the end returns the error
	}
	if asJSON {
		show = func(doctor.Result) {}
	}
	report := doctor.Examine(ctx, doctor.Setup{
		LoadConfig: p.loadConfig,
		Options:    app.Options{Tool: tool(), WorkerName: "doctor"},
	}, show)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var err error
	if asJSON {
		err = p.printJSON(stateReport(report))
	} else {
		err = p.print(whatToDo(report))
	}
	if err != nil {
		return err
	}
	return report.Err()
}

// statedReport is a report as --json states it.
type statedReport struct {
	Checks  []doctor.Result `json:"checks"`
	Summary statedVerdict   `json:"summary"`
}

// statedVerdict is how many checks ended how, and the exit code that follows.
type statedVerdict struct {
	OK       int `json:"ok"`
	Warning  int `json:"warning"`
	Failed   int `json:"failed"`
	Skipped  int `json:"skipped"`
	ExitCode int `json:"exit_code"`
}

func stateReport(report doctor.Report) statedReport {
	return statedReport{Checks: report.Checks, Summary: statedVerdict{
		OK:       report.Count(doctor.OK),
		Warning:  report.Count(doctor.Warning),
		Failed:   report.Count(doctor.Failed),
		Skipped:  report.Count(doctor.Skipped),
		ExitCode: exitCode(report.Err()),
	}}
}

var marks = map[doctor.Status]string{
	doctor.OK: "ok", doctor.Warning: "WARN", doctor.Failed: "FAIL", doctor.Skipped: "-",
}

// resultLine has its columns aligned with those of the lines before and after.
func resultLine(result doctor.Result) string {
	const indent = "\n                                 "
	return fmt.Sprintf("%-4s  %-25s  %s\n", marks[result.Status], result.Name, strings.ReplaceAll(result.Found, "\n", indent))
}

// whatToDo ends the list: how many checks ended how, and the remedies, the
// failures' first.
func whatToDo(report doctor.Report) string {
	var text page
	text.line("")
	text.line("%d ok, %d warnings, %d failed, %d skipped",
		report.Count(doctor.OK), report.Count(doctor.Warning), report.Count(doctor.Failed), report.Count(doctor.Skipped))
	for _, part := range []struct {
		status doctor.Status
		title  string
	}{{doctor.Failed, "To be put right:"}, {doctor.Warning, "Worth a thought:"}} {
		if report.Count(part.status) == 0 {
			continue
		}
		text.line("\n%s", part.title)
		for _, result := range report.Checks {
			if result.Status == part.status {
				text.line("  %s: %s", result.Name, result.Remedy)
			}
		}
	}
	return text.String()
}
