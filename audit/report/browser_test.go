package report_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a headless Chromium with one tab, and what it complained about.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	requests   []string
}

// newBrowser starts Chromium; the test fails where there is none.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	var binary string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			binary = found
			break
		}
	}
	if binary == "" {
		t.Fatal("this test looks at the report in Chromium, and there is none: install Debian's package chromium, or Google Chrome")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(binary), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(3 * time.Minute), // a machine that is busy with other tests is slow
	}
	allocator, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(end)
	ctx, _ := chromedp.NewContext(allocator)
	b := &browser{t: t, ctx: ctx}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Error(err)
		}
	})
	chromedp.ListenTarget(ctx, b.listen)
	b.run(network.Enable(), runtime.Enable(), log.Enable(), page.Enable())
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, event.Request.URL)
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, event.Entry.Text)
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, event.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, "console."+event.Type.String())
	}
}

func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// open opens a page as one file, in a window of this width and a colour scheme.
func (b *browser) open(file string, width int64, scheme string) {
	b.t.Helper()
	b.run(
		emulation.SetDeviceMetricsOverride(width, 900, 1.5, width < 600),
		emulation.SetEmulatedMedia().WithMedia("screen").WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.Navigate("file://"+file),
	)
}

// quiet fails the test when the page has asked for more than itself, or the
// browser had something to say about it.
func (b *browser) quiet(file string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, url := range b.requests {
		if url != "file://"+file && url != "data:," {
			b.t.Errorf("the page asked for %q", url)
		}
	}
	if len(b.complaints) > 0 {
		b.t.Errorf("the browser says: %s", strings.Join(b.complaints, "; "))
	}
	b.requests, b.complaints = nil, nil
}

// picture writes the page to a file, down to the end of the element that the
// selector names.
func (b *browser) picture(name, until string) {
	b.t.Helper()
	var size []float64
	var png []byte
	b.run(
		chromedp.Evaluate(fmt.Sprintf(`[innerWidth, Math.ceil(document.querySelector(%q).getBoundingClientRect().bottom + scrollY)]`, until), &size),
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			png, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).
				WithClip(&page.Viewport{Width: size[0], Height: size[1], Scale: 1}).Do(ctx)
			return err
		}),
	)
	b.write(name, png)
}

// paper is the page as somebody whose screen is dark prints it.
func (b *browser) paper() (pdf []byte) {
	b.t.Helper()
	dark := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}
	b.run(emulation.SetEmulatedMedia().WithFeatures(dark), chromedp.ActionFunc(func(ctx context.Context) error {
		body, _, err := page.PrintToPDF().WithPreferCSSPageSize(true).WithPrintBackground(false).Do(ctx)
		pdf = body
		return err
	}))
	return pdf
}

func (b *browser) write(name string, body []byte) {
	b.t.Helper()
	if err := os.WriteFile(name, body, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// file is a page as a file of its own.
func (b *browser) file(name, body string) string {
	b.t.Helper()
	name = filepath.Join(b.t.TempDir(), name)
	b.write(name, []byte(body))
	return name
}

// ask evaluates an expression that gives a list of texts.
func (b *browser) ask(expression string) (answer []string) {
	b.t.Helper()
	b.run(chromedp.Evaluate(expression, &answer))
	return answer
}

// openDetails opens or closes what a reader opens by hand.
func openDetails(open bool) chromedp.Action {
	return chromedp.Evaluate(fmt.Sprintf(`document.querySelectorAll('details').forEach(d => { d.open = %t })`, open), nil)
}

// printed is the look of the page on paper, in light colours whatever the screen.
func printed() chromedp.Action { return emulation.SetEmulatedMedia().WithMedia("print") }
