package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"vlens-archiver/audit/report"
	"vlens-archiver/internal/app"
	"vlens-archiver/store"
)

// reportChoice is what a report is about and where it goes, as its flags say.
type reportChoice struct {
	runID  string
	since  string
	until  string
	out    string // "" is stdout
	asJSON bool
}

func (p *program) reportCommand() *cobra.Command {
	var c reportChoice
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write one HTML page about a run or a period",
		Long: `One page that needs nothing else, to read on a phone, to print and to file:
whether the archive is complete, coverage over time, runs, outcomes, failures and
what to do about them, requests by hour, throughput, storage, verifications. It
names nobody, not even by pseudonym. Reads the ledger only.

Without --run it is about a period: by default thirty days, today included. A file
that --out names is replaced.`,
		Example: `  vlens-archiver report --out report.html
  vlens-archiver report --run nightly-2026-01-31 --out run.html
  vlens-archiver report --since 2026-01-01 --until 2026-02-01 --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			scope, err := c.scope()
			if err != nil {
				return usage(cmd, err.Error())
			}
			if c.out == "" && !c.asJSON && isTerminal(p.stdout) {
				return usage(cmd, "the page would go to the terminal: name a file with --out, or redirect stdout")
			}
			return p.plain(func(ctx context.Context) error { return p.report(ctx, c, scope) })(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&c.runID, "run", "", "about the run with this `ID`")
	flags.StringVar(&c.since, "since", "", "about the period from this `TIME`: RFC 3339, or a date, which is midnight UTC")
	flags.StringVar(&c.until, "until", "", "to before this `TIME`; without it, until now")
	flags.StringVar(&c.out, "out", "", "write the page to `FILE` (default: stdout)")
	flags.BoolVar(&c.asJSON, "json", false, "write the figures as JSON to stdout; with --out, beside the page")
	return cmd
}

// scope checks the flags. Its errors are problems of the command line.
func (c reportChoice) scope() (store.ReportScope, error) {
	scope := store.ReportScope{RunID: c.runID}
	var err error
	if scope.Since, err = parseTime("--since", c.since); err != nil {
		return scope, err
	}
	if scope.Until, err = parseTime("--until", c.until); err != nil {
		return scope, err
	}
	switch {
	case c.runID != "" && (c.since != "" || c.until != ""):
		return scope, errors.New("--run does not go together with --since or --until")
	case c.runID != "" && !store.ValidRunID(c.runID):
		return scope, errors.New(badRunID("--run", c.runID))
	case c.until != "" && c.since != "" && !scope.Since.Before(scope.Until):
		return scope, errors.New("--since must be before --until")
	case c.since != "" && scope.Since.After(time.Now()):
		return scope, errors.New("--since is in the future")
	}
	return scope, nil
}

func (p *program) report(ctx context.Context, c reportChoice, scope store.ReportScope) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	ledger, err := app.OpenLedger(ctx, cfg)
	if err != nil {
		return err
	}
	defer ledger.Close()
	figures, err := ledger.Report(ctx, scope)
	if errors.Is(err, store.ErrNotFound) {
		return &usageError{command: programName + " report", problem: fmt.Sprintf("--run %q: the ledger knows no such run; `%s status` lists the last ones", c.runID, programName)}
	}
	if err != nil {
		return err
	}
	page := report.Page{Report: figures, Tool: tool(), PerMinute: app.PerMinute(cfg.Vlens.Quota, 0)}
	write := func(out io.Writer) error { return report.Write(out, page) }
	switch {
	case c.out != "":
		if err := replaceFile(c.out, write); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	case !c.asJSON:
		return write(p.stdout)
	}
	if c.asJSON {
		return p.printJSON(page)
	}
	return p.print(fmt.Sprintf("report written to %s\n", c.out))
}

// replaceFile writes a file whole or not at all.
func replaceFile(name string, fill func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := fill(file); err != nil {
		return err
	}
	if err := file.Chmod(0o644); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
