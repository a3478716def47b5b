package progress

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// liveEvery is the time between two readings of the figures.
const liveEvery = time.Second

// Live shows a bar on the screen, with the figures in a line below it, until the
// returned function is called, which removes it.
func Live(ctx context.Context, screen *Screen, source Source) (stop func()) {
	return live(ctx, screen, source, liveEvery)
}

func live(ctx context.Context, screen *Screen, source Source, every time.Duration, options ...mpb.ContainerOption) (stop func()) {
	var latest atomic.Pointer[figures]
	latest.Store(&figures{Snapshot: source.Snapshot()})

	bar, hide := addBar(screen, mpb.BarStyle(), options,
		mpb.PrependDecorators(dynamicText(func() string { return headline(*latest.Load()) })),
		mpb.AppendDecorators(dynamicText(func() string { return share(*latest.Load()) })),
		mpb.BarExtender(mpb.BarFillerFunc(func(w io.Writer, _ decor.Statistics) error {
			_, err := fmt.Fprintln(w, details(*latest.Load()))
			return err
		}), false),
	)
	stopObserving := observe(ctx, source, every, func(f figures) {
		latest.Store(&f)
		bar.SetTotal(max(f.Due, f.Users), false)
		bar.SetCurrent(f.Users)
	})
	return func() {
		stopObserving()
		hide()
	}
}

// headline stands before the bar: "archive 12 of 1,800 users".
func headline(f figures) string {
	if f.Phase != "archive" {
		return f.Phase + " "
	}
	return fmt.Sprintf("%s %s of %s users ", f.Phase, Count(f.Users), Count(max(f.Due, f.Users)))
}

// share stands after the bar: "7 %".
func share(f figures) string {
	if f.Due == 0 {
		return ""
	}
	return fmt.Sprintf(" %d %%", 100*min(f.Users, f.Due)/f.Due)
}

// details stand below the bar.
func details(f figures) string {
	parts := []string{
		Count(f.Images) + " images",
		Bytes(f.Bytes),
		Count(f.TotalRequests()) + " requests",
		fmt.Sprintf("%.0f/min", f.perMinute),
	}
	parts = append(parts, quotaDetails(f.quota)...)
	if f.left > 0 {
		parts = append(parts, Span(f.left)+" left")
	}
	return "  " + strings.Join(parts, " · ")
}
