package progress

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/vbauerster/mpb/v8"

	"vlens-archiver/audit/verify"
)

// LiveVerify shows a bar for a verification on the screen until the returned
// function is called, which removes it.
func LiveVerify(screen *Screen, snapshot func() verify.Progress) (hide func()) {
	started := time.Now()
	bar, removeBar := addBar(screen, mpb.BarStyle(), nil,
		mpb.PrependDecorators(dynamicText(func() string { return verifyHeadline(snapshot()) })),
		mpb.AppendDecorators(dynamicText(func() string { return verifyDetails(snapshot(), time.Since(started)) })),
	)
	stop := Repeat(context.Background(), liveEvery, func(context.Context) {
		now := snapshot()
		bar.SetTotal(max(now.Total, now.Objects), false)
		bar.SetCurrent(now.Objects)
	})
	return func() {
		stop()
		removeBar()
	}
}

// LinesVerify logs how a verification goes once a minute, until the returned
// function is called.
func LinesVerify(ctx context.Context, log *slog.Logger, snapshot func() verify.Progress) (stop func()) {
	return Repeat(ctx, lineEvery, func(ctx context.Context) {
		now := snapshot()
		log.LogAttrs(ctx, slog.LevelInfo, "progress",
			slog.String("event", "progress"), slog.String("phase", now.Phase), slog.Int64("objects", now.Objects),
			slog.Int64("objects_total", now.Total), slog.Int64("bytes", now.Bytes), slog.Int64("damaged", now.Damaged))
	})
}

func verifyHeadline(now verify.Progress) string {
	if now.Total == 0 {
		return fmt.Sprintf("verify %s: %s objects ", now.Phase, Count(now.Objects))
	}
	return fmt.Sprintf("verify %s: %s of %s objects ", now.Phase, Count(now.Objects), Count(max(now.Total, now.Objects)))
}

func verifyDetails(now verify.Progress, elapsed time.Duration) string {
	text := " " + Bytes(now.Bytes) + " read"
	if left := verifyLeft(now, elapsed); left > 0 {
		text += " · " + Span(left) + " left"
	}
	if now.Damaged > 0 {
		text += fmt.Sprintf(" · %s damaged", Count(now.Damaged))
	}
	return text
}

// verifyLeft is the time that the objects still to be checked will take at the
// speed so far; 0 when not known.
func verifyLeft(now verify.Progress, elapsed time.Duration) time.Duration {
	if now.Objects == 0 || now.Total <= now.Objects {
		return 0
	}
	return time.Duration(float64(elapsed) / float64(now.Objects) * float64(now.Total-now.Objects))
}
