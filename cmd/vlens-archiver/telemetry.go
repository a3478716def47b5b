package main

import (
	"log/slog"

	"github.com/google/uuid"

	"vlens-archiver/internal/config"
	"vlens-archiver/internal/telemetry"
)

// startTelemetry begins to measure this process, as the configuration says; what
// it returns is nil when that asks for nothing, and is closed in either case.
func (p *program) startTelemetry(cfg *config.Config, log *slog.Logger, worker string) (*telemetry.Telemetry, error) {
	return telemetry.Start(p.ctx, telemetry.Config{
		OTLPEndpoint:  cfg.Telemetry.OTLPEndpoint,
		MetricsListen: cfg.Telemetry.MetricsListen,
		Archive:       cfg.Evidence.Origin,
		Process:       workerName(worker, p.env) + "-" + uuid.NewString(),
		Tool:          tool(),
		Log:           log,
	})
}
