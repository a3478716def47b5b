package main

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/progress"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/worker"
)

// tool is the program as the demo's records name it.
var tool = manifest.Tool{Version: "demo", Commit: "unknown"}

// archive is one run, with all parts opened anew, as a new process would.
func (d *demo) archive(ctx context.Context, runID string) (worker.Report, error) {
	archive, err := d.open(ctx)
	if err != nil {
		return worker.Report{}, err
	}
	defer archive.Close(ctx)

	w := archive.Worker(app.Task{Run: store.Run{
		ID:           runID,
		Kind:         store.RunManual,
		ToolVersion:  tool.Version,
		ConfigSHA256: d.config.Fingerprint(),
	}})
	if terminal, ok := d.stderr.(*os.File); ok && term.IsTerminal(int(terminal.Fd())) {
		hide := progress.Live(ctx, progress.NewScreen(terminal), progress.Source{Snapshot: w.Progress})
		defer hide()
	}
	report, err := w.Run(ctx, ctx)
	if err != nil {
		return report, fmt.Errorf("run %q: %w", runID, err)
	}
	if !report.Closed || report.Stopped != nil {
		return report, fmt.Errorf("run %q did not come to its end", runID)
	}
	return report, nil
}

func (d *demo) open(ctx context.Context) (*app.App, error) {
	return app.Open(ctx, d.config, app.Options{Tool: tool, Log: d.log, WorkerName: "demo"})
}
