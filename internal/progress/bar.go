package progress

import (
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

const barWidth = 32 // columns

// addBar shows a bar on the screen until hide is called, which removes it. The
// total is not known at first, so the bar is never told that it is complete.
func addBar(screen *Screen, style mpb.BarFillerBuilder, container []mpb.ContainerOption, options ...mpb.BarOption) (bar *mpb.Bar, hide func()) {
	bars := mpb.New(append([]mpb.ContainerOption{mpb.WithOutput(screen.out)}, container...)...)
	bar = bars.New(0, style, append(options, mpb.BarWidth(barWidth), mpb.BarRemoveOnComplete())...)
	screen.attach(bars)
	return bar, func() {
		screen.detach(func() {
			bar.Abort(true)
			bars.Wait()
		})
	}
}

// Text shows a line that changes on the screen, for work without a known end,
// until the returned function is called, which removes it.
func Text(screen *Screen, line func() string) (hide func()) {
	_, hide = addBar(screen, mpb.NopStyle(), nil, mpb.PrependDecorators(dynamicText(line)))
	return hide
}

// dynamicText is a part of a bar that is asked for each time the bar is drawn.
func dynamicText(say func() string) decor.Decorator {
	return decor.Any(func(decor.Statistics) string { return say() })
}
