package progress

import (
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Text shows a line on the screen that changes, for work without a known end,
// until the returned function is called, which removes it.
func Text(screen *Screen, line func() string) (stop func()) {
	bars := mpb.New(mpb.WithOutput(screen.out))
	bar := bars.New(0, mpb.NopStyle(), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return line() })))
	screen.give(bars)
	return func() {
		screen.take(func() {
			bar.Abort(true)
			bars.Wait()
		})
	}
}
