package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/config"
	"vlens-archiver/internal/health"
	"vlens-archiver/internal/progress"
	"vlens-archiver/internal/schedule"
	"vlens-archiver/internal/telemetry"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
)

func (p *program) scheduleCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Stay up and take part in a run at each tick of schedule.cron",
		Long: `Stays up, and at each tick of schedule.cron opens or joins the run that is named
after the tick: several replicas share it. Flags hold for each run.

Runs do not overlap. The latest tick that passed while a run was under way, or
while no replica was there (for up to 8 days), is caught up. A run that failed
(exit code 1) is tried again after 15 minutes, 30 minutes and so on until the
next tick; if another run has closed it meanwhile, under the next of the ids …-2,
…-3. After exit codes 4 and 5 of a run this process stays up and does nothing more
until it is stopped, with that exit code: a person has to act, and going on would
only spend logins. /readyz at telemetry.health_listen answers 503 then. All others
are logged. Each is reported to notify.heartbeat_url.

SIGTERM and SIGINT stop it as they stop run: users in flight are finished.`,
		Example: `  vlens-archiver schedule --max-duration 8h`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			return p.schedule(f)
		},
	}
	f.addCommon(cmd)
	return cmd
}

// schedule takes part in the runs of the schedule until it is to stop.
func (p *program) schedule(f runFlags) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	ticks, err := cfg.Schedule.Ticks()
	if err != nil {
		return fmt.Errorf("%w: schedule: %w", config.ErrInvalid, err)
	}
	ledger, err := app.OpenLedger(p.admit, cfg)
	if err != nil {
		return p.stopped(err)
	}
	defer ledger.Close()
	board := &health.Board{}
	closeHealth, err := p.serveHealth(cfg, board, ledger)
	if err != nil {
		return err
	}
	defer closeHealth()

	screen := progress.NewScreen(p.stderr)
	log := p.logger(screen)
	measuring, err := p.startTelemetry(cfg, log, f.worker)
	if err != nil {
		return p.stopped(err)
	}
	defer measuring.Close(p.ctx)
	// Between runs the figures are read from the ledger too.
	unfollow := measuring.Follow(p.ctx, telemetry.Sources{Figures: ledger.Figures, Quota: func(ctx context.Context) (store.QuotaUse, error) {
		return postgres.ReadQuota(ctx, ledger.Pool(), cfg.Vlens.BaseURL, cfg.Vlens.TenancyName, "")
	}})
	defer unfollow(p.ctx)
	daemon := schedule.Daemon{
		Ticks: ticks,
		Standing: func(ctx context.Context, runID string) (schedule.Standing, error) {
			return standingOf(ctx, ledger, runID)
		},
		TakePart: func(runID string) (schedule.Verdict, error) {
			ofRun := f
			ofRun.runID = runID
			err := p.takePart(participation{
				runFlags: ofRun, cfg: cfg, screen: screen, log: log, health: board, telemetry: measuring,
				run: store.Run{ID: runID, Kind: store.RunScheduled},
			})
			board.End(runID, exitCode(err))
			return p.judge(log, runID, err), err
		},
		Waiting: func(until time.Time) {
			board.Wait(until)
			log.Info("waiting for the next run", "event", "schedule_waiting", "at", instant(until))
			if isTerminal(p.stderr) {
				_, _ = fmt.Fprintf(screen, "next run at %s\n", until.Format("Mon 2 Jan 15:04 MST")) // stderr is the last resort
			}
		},
	}
	err = daemon.Run(p.admit)
	if err == nil {
		return context.Cause(p.admit)
	}
	if p.admit.Err() == nil {
		p.halt(log, board, err)
	}
	return err
}

// halt stays up and does nothing, after an end that only a person can mend: a process
// that ended would be started again, and each start would spend a login, or lock the
// account.
func (p *program) halt(log *slog.Logger, board *health.Board, err error) {
	code := exitCode(err)
	board.Halt(code)
	log.Error("halted until this process is stopped: mend what is wrong, then start it again", "event", "schedule_halted",
		"exit_code", code, "error", err.Error(), "next", advice(err))
	<-p.admit.Done()
}

func standingOf(ctx context.Context, ledger *postgres.Ledger, runID string) (schedule.Standing, error) {
	status, err := ledger.RunStatus(ctx, runID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return schedule.Open, nil
	case status == store.RunInterrupted:
		return schedule.Interrupted, err
	case status == store.RunClosed:
		return schedule.Ended, err
	}
	return schedule.Open, err
}

// judge says what the end of this process's part in a run means for the schedule,
// and logs an end that somebody has to know of.
func (p *program) judge(log *slog.Logger, runID string, err error) schedule.Verdict {
	if err == nil || p.admit.Err() != nil { // a stop has its own exit code
		return schedule.Done
	}
	code := exitCode(err)
	log.Error("the run has not ended well", "event", "run_failed", "run_id", runID, "exit_code", code, "error", err.Error(), "next", advice(err))
	switch {
	case errors.Is(err, store.ErrRunMismatch):
		// A run of another kind was opened under the tick's id. The next tick has
		// another.
		return schedule.Done
	case code == exitInvalid || code == exitDenied:
		return schedule.End
	case code == exitFailed:
		return schedule.Retry
	}
	return schedule.Done
}
