package main

import (
	"time"

	"github.com/spf13/cobra"

	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
)

// part is what the commands that take part in runs have in common.
type part struct {
	runID       string
	worker      string
	maxDuration time.Duration
	limit       int
	strict      bool
	acceptLeft  bool
	dryRun      bool
	asJSON      bool
}

// flags are those of a command that takes part in one run.
func (a *part) flags(cmd *cobra.Command) {
	a.commonFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&a.runID, "run-id", "", "open or join the run with this `ID`; without it the run has an id of its own")
	flags.BoolVar(&a.dryRun, "dry-run", false, "write nothing; say what the run would do, as plan does")
}

// commonFlags are those that hold for every run of a command.
func (a *part) commonFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&a.worker, "worker", "", "`NAME` of this process (default: the host's)")
	flags.DurationVar(&a.maxDuration, "max-duration", 0, "stop this process's part of a run after `DURATION`, such as 5h30m; what is left waits for the next run")
	flags.IntVar(&a.limit, "limit", 0, "archive at most `N` users in the whole run; 0 is no limit")
	flags.BoolVar(&a.strict, "strict", false, "exit 6 when work is left")
	flags.BoolVar(&a.acceptLeft, "accept-left", false, "mark missing users as left, however many they are")
	jsonFlag(cmd, &a.asJSON)
}

func (a *part) check(cmd *cobra.Command) error {
	switch {
	case a.runID != "" && !store.ValidRunID(a.runID):
		return usage(cmd, badRunID("--run-id", a.runID))
	case a.limit < 0:
		return usage(cmd, "--limit: expected 0 or more")
	case a.maxDuration < 0:
		return usage(cmd, "--max-duration: expected 0 or more")
	}
	return nil
}

// takePart opens or joins the run that the flags and the selection say, and
// works on it until it is finished or this process is to stop.
func (p *program) takePart(a part, kind store.RunKind, selection store.Selection) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	selection.Limit = a.limit
	if a.dryRun {
		return p.stopped(p.plan(p.admit, cfg, selection, a.asJSON))
	}
	run := store.Run{ID: a.runID, Kind: kind, Selection: selection}
	if run.ID == "" {
		run.ID = newRunID(kind, time.Now())
	}
	screen := progress.NewScreen(p.stderr)
	log := p.logger(screen)
	measuring, err := p.startTelemetry(cfg, log, a.worker)
	if err != nil {
		return p.stopped(err)
	}
	defer measuring.Close(p.ctx)
	return p.attend(attendance{part: a, cfg: cfg, screen: screen, log: log, run: run, telemetry: measuring})
}
