package main

import (
	"context"
	"log/slog"
	"time"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/config"
	"vlens-archiver/internal/health"
	"vlens-archiver/internal/listen"
	"vlens-archiver/internal/notify"
	"vlens-archiver/internal/progress"
	"vlens-archiver/internal/telemetry"
	"vlens-archiver/store"
	"vlens-archiver/store/postgres"
	"vlens-archiver/worker"
)

// startRun opens or joins the run that the flags and the selection describe, and
// works on it until it is finished or this process has to stop. With --dry-run it
// only prints the plan.
func (p *program) startRun(f runFlags, kind store.RunKind, selection store.Selection) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	if f.dryRun {
		return p.stopped(p.plan(p.admit, cfg, selection, f.limit, f.asJSON))
	}
	run := store.Run{ID: f.runID, Kind: kind, Selection: selection}
	if run.ID == "" {
		run.ID = newRunID(kind, time.Now())
	}
	screen := progress.NewScreen(p.stderr)
	log := p.logger(screen)
	measuring, err := p.startTelemetry(cfg, log, f.worker)
	if err != nil {
		return p.stopped(err)
	}
	defer measuring.Close(p.ctx)
	return p.takePart(participation{runFlags: f, cfg: cfg, screen: screen, log: log, run: run, telemetry: measuring})
}

// participation is this process's part in one run.
type participation struct {
	runFlags
	cfg    *config.Config
	screen *progress.Screen
	log    *slog.Logger
	run    store.Run // its id, kind and selection
	// health is the board of a process that stays up between runs; nil for one that
	// ends with the run, which then has a board of its own.
	health *health.Board
	// telemetry measures the process; nil measures nothing.
	telemetry *telemetry.Telemetry
}

// takePart takes part in the run and reports its start and end to heartbeat,
// webhook, telemetry and log. All of them get the exit code that this process
// is about to return.
func (p *program) takePart(a participation) error {
	notifier := notify.Start(p.ctx, notify.Config{
		HeartbeatURL: a.cfg.Notify.HeartbeatURL,
		WebhookURL:   a.cfg.Notify.WebhookURL,
		Log:          a.log,
		UserAgent:    programName + "/" + tool().Version,
	})
	measured, endMeasuring := a.telemetry.Begin(p.ctx, a.run)
	report, err := p.archive(measured, a)
	code := exitCode(err)
	endMeasuring(report.Totals.Run.Status, code)
	notifier.End(p.ctx, code, closedRuns(report, a.log)...)
	logEnd(a.log, a.run.ID, report, err)
	return err
}

// archive opens or joins the run, works on it until it is finished or this process
// has to stop, and prints the state of the run. What happens in ctx is measured.
func (p *program) archive(ctx context.Context, a participation) (worker.Report, error) {
	run := a.run
	run.ToolVersion, run.ConfigSHA256 = tool().Version, a.cfg.Fingerprint()
	archive, err := app.Open(p.admit, a.cfg, app.Options{
		Tool:         tool(),
		Log:          a.log,
		RunID:        run.ID,
		RunPerMinute: run.Selection.PerMinute,
		WorkerName:   workerName(a.worker, p.env),
		Telemetry:    a.telemetry,
	})
	if err != nil {
		return worker.Report{}, p.stopped(err)
	}
	defer archive.Close(p.ctx)
	defer p.announceStop(a.log, run.ID)()

	if a.health == nil {
		a.health = &health.Board{}
		closeHealth, err := p.serveHealth(a.cfg, a.health, archive.Ledger)
		if err != nil {
			return worker.Report{}, err
		}
		defer closeHealth()
	}
	a.health.Begin(run.ID)

	w := archive.Worker(app.Task{Run: run, Rejoinable: a.runID != "", MaxDuration: a.maxDuration, Limit: a.limit, AcceptLeft: a.acceptLeft})
	hide := p.showProgress(a.screen, a.log.With("run_id", run.ID), progress.Source{
		Snapshot:  w.Progress,
		Quota:     archive.QuotaUse(),
		PerMinute: app.PerMinute(a.cfg.Vlens.Quota, run.Selection.PerMinute),
	})
	report, failure := w.Run(ctx, p.admit)
	hide()

	if report.Totals.Run.ID != "" {
		if err := p.printSummary(report, a.asJSON); err != nil && failure == nil {
			failure = err
		}
	}
	return report, verdict(report, failure, a.strict)
}

// serveHealth answers probes, if the configuration says where, until the
// returned function is called.
func (p *program) serveHealth(cfg *config.Config, board *health.Board, ledger *postgres.Ledger) (end func(), err error) {
	if cfg.Telemetry.HealthListen == "" {
		return func() {}, nil
	}
	server, err := listen.Open(p.ctx, "telemetry.health_listen", cfg.Telemetry.HealthListen, board.Handler(func(ctx context.Context) error {
		_, err := ledger.Clock(ctx)
		return err
	}))
	if err != nil {
		return nil, err
	}
	return func() { server.Close(p.ctx) }, nil
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
