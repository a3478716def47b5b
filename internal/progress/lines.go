package progress

import (
	"context"
	"log/slog"
	"math"
	"time"
)

// lineEvery is the time between two log lines.
const lineEvery = time.Minute

// Lines logs how the run goes once a minute, until the returned function is
// called, which waits for the last line.
func Lines(ctx context.Context, log *slog.Logger, source Source) (stop func()) {
	return observe(ctx, source, lineEvery, func(f figures) { logFigures(ctx, log, f) })
}

func logFigures(ctx context.Context, log *slog.Logger, f figures) {
	attributes := []slog.Attr{
		slog.String("event", "progress"),
		slog.String("phase", f.Phase),
		slog.Int64("users", f.Users),
		slog.Int64("users_due", f.Due),
		slog.Int64("images", f.Images),
		slog.Int64("bytes", f.Bytes),
		slog.Int64("requests", f.TotalRequests()),
		slog.Int64("requests_per_minute", int64(math.Round(f.perMinute))),
	}
	if f.left > 0 {
		attributes = append(attributes, slog.Int64("seconds_left", int64(f.left.Seconds())))
	}
	log.LogAttrs(ctx, slog.LevelInfo, "progress", append(attributes, quotaAttributes(f.quota)...)...)
}
