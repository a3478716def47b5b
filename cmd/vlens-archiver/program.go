package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"vlens-archiver/internal/config"
)

const programName = "vlens-archiver"

// program is one call of the program: its surroundings and its global flags.
type program struct {
	ctx    context.Context // ends when everything must stop
	admit  context.Context // ends when no new work may begin
	env    func(string) (string, bool)
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer

	configFile string
	logFormat  string
}

// execute does what the command line says. Errors of the command line are
// *usageError.
func (p *program) execute(args []string) error {
	root := &cobra.Command{
		Use:   programName,
		Short: "Archive Vlens onboarding evidence in your own S3 bucket",
		Long: `Copies the identity evidence of your customers from the Vlens API into your own
S3 bucket, proves that it is complete, and keeps an audit trail in Postgres.

Exit codes: 0 done, 1 failed, 3 done but users failed or are partial, 4 bad usage
or configuration, 5 credentials or permission refused, 6 work left (--strict),
10 evidence is damaged, 130 or 143 stopped by signal after a clean commit.`,
		Example: `  vlens-archiver migrate up
  vlens-archiver plan
  vlens-archiver run --limit 10`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(cmd, "a command is missing")
			}
			return unknownCommand(cmd, args[0])
		},
		RunE:              func(*cobra.Command, []string) error { return nil }, // Args refuses every call
		PersistentPreRunE: p.checkGlobalFlags,
	}
	root.PersistentFlags().StringVar(&p.configFile, "config", "config.yaml", "configuration `FILE`")
	root.PersistentFlags().StringVar(&p.logFormat, "log-format", "", "`FORMAT` of logs: text or json (default: text on a terminal, json elsewhere)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, err.Error()) })
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetArgs(args)
	root.AddCommand(
		p.runCommand(), p.planCommand(), p.backfillCommand(), p.scheduleCommand(), p.statusCommand(),
		p.acceptCommand(), p.verifyCommand(), p.exportCommand(), p.rebuildCommand(), p.doctorCommand(), p.reportCommand(),
		p.migrateCommand(), p.keygenCommand(), p.simulateCommand(), p.versionCommand(), p.completionCommand(),
	)
	unknownHelp := refuseUnknownHelp(root)
	if err := root.ExecuteContext(p.admit); err != nil {
		return err
	}
	return *unknownHelp
}

func (p *program) checkGlobalFlags(cmd *cobra.Command, _ []string) error {
	switch p.logFormat {
	case "", "text", "json":
		return nil
	}
	return usage(cmd, fmt.Sprintf("--log-format %q: expected text or json", p.logFormat))
}

// plain is the body of a command that the first signal ends: it has nothing in
// flight that would have to be finished.
func (p *program) plain(do func(ctx context.Context) error) func(*cobra.Command, []string) error {
	return func(*cobra.Command, []string) error { return p.stopped(do(p.admit)) }
}

// stopped replaces the error of work that failed because the first signal ended
// it by that signal.
func (p *program) stopped(err error) error {
	if stop, ok := errors.AsType[stopSignal](context.Cause(p.admit)); ok && err != nil {
		return abandonedBy{stop}
	}
	return err
}

func (p *program) loadConfig() (*config.Config, error) {
	return config.Load(p.configFile, p.env)
}

// logger writes to out, which leads to stderr. On a terminal it writes warnings
// and errors only: the live bar shows the progress.
func (p *program) logger(out io.Writer) *slog.Logger {
	onTerminal := isTerminal(p.stderr)
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if onTerminal {
		options.Level = slog.LevelWarn
	}
	if p.logFormat == "text" || p.logFormat == "" && onTerminal {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}

// printJSON writes one JSON value to stdout.
func (p *program) printJSON(v any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// print writes text for people to stdout.
func (p *program) print(text string) error {
	if _, err := io.WriteString(p.stdout, text); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
