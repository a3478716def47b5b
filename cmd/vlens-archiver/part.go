package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
)

// part is what the commands that take part in a run have in common.
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

func (a *part) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&a.runID, "run-id", "", "open or join the run with this `ID`; without it the run has an id of its own")
	flags.StringVar(&a.worker, "worker", "", "`NAME` of this process (default: the host's)")
	flags.DurationVar(&a.maxDuration, "max-duration", 0, "stop this process after `DURATION`, such as 5h30m; what is left waits for the next run")
	flags.IntVar(&a.limit, "limit", 0, "archive at most `N` users in the whole run; 0 is no limit")
	flags.BoolVar(&a.strict, "strict", false, "exit 6 when work is left")
	flags.BoolVar(&a.acceptLeft, "accept-left", false, "mark missing users as left, however many they are")
	flags.BoolVar(&a.dryRun, "dry-run", false, "write nothing; say what the run would do, as plan does")
	jsonFlag(cmd, &a.asJSON)
}

func (a *part) check(cmd *cobra.Command) error {
	switch {
	case a.runID != "" && !store.ValidRunID(a.runID):
		return usage(cmd, fmt.Sprintf("--run-id %q: expected 1 to 63 lower-case letters, digits and hyphens, the first no hyphen", a.runID))
	case a.limit < 0:
		return usage(cmd, "--limit: expected 0 or more")
	case a.maxDuration < 0:
		return usage(cmd, "--max-duration: expected 0 or more")
	}
	return nil
}

// takePart opens or joins the run and works on it until it is finished or this
// process is to stop, and prints how the run stands then.
func (p *program) takePart(a part, kind store.RunKind, selection store.Selection) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	selection.Limit = a.limit
	if a.dryRun {
		return p.stopped(p.plan(p.admit, cfg, selection, a.asJSON))
	}
	run := store.Run{
		ID:           a.runID,
		Kind:         kind,
		Selection:    selection,
		ToolVersion:  tool().Version,
		ConfigSHA256: cfg.Fingerprint(),
	}
	if run.ID == "" {
		run.ID = newRunID(kind, time.Now())
	}
	screen := progress.NewScreen(p.stderr)
	log := p.logger(screen)
	archive, err := app.Open(p.admit, cfg, app.Options{
		Tool:         tool(),
		Log:          log,
		RunID:        run.ID,
		RunPerMinute: selection.PerMinute,
		WorkerName:   workerName(a.worker, p.env),
	})
	if err != nil {
		return p.stopped(err)
	}
	defer archive.Close(p.ctx)
	defer p.announceStop(log, run.ID)()

	w := archive.Worker(app.Task{Run: run, Rejoinable: a.runID != "", MaxDuration: a.maxDuration, AcceptLeft: a.acceptLeft})
	hide := p.showProgress(screen, log, progress.Source{
		Snapshot:  w.Progress,
		Quota:     archive.QuotaUse(),
		PerMinute: app.PerMinute(cfg.Vlens.Quota, selection.PerMinute),
	})
	report, failure := w.Run(p.ctx, p.admit)
	hide()

	if report.Totals.Run.ID != "" {
		if err := p.printSummary(report, a.asJSON); err != nil && failure == nil {
			failure = err
		}
	}
	return verdict(report, failure, a.strict)
}

// showProgress shows how the run goes on stderr until the returned function is
// called.
func (p *program) showProgress(screen *progress.Screen, log *slog.Logger, source progress.Source) (hide func()) {
	if isTerminal(p.stderr) {
		return progress.Live(p.ctx, screen, source)
	}
	return progress.Lines(p.ctx, log, source)
}

// announceStop logs the first signal to stop, until the returned function is
// called.
func (p *program) announceStop(log *slog.Logger, runID string) (end func()) {
	over, cancel := context.WithCancel(p.ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-over.Done():
		case <-p.admit.Done():
			log.Warn("stopping: users in flight are finished; a second signal drops them", "event", "stopping", "run_id", runID)
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}
