package progress

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"

	"vlens-archiver/store"
	"vlens-archiver/worker"
)

// terminal is what a terminal was told. It closes shown when it has seen want.
type terminal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	want  string
	shown chan struct{}
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := t.text.Write(p)
	if t.want != "" && strings.Contains(t.text.String(), t.want) {
		t.want = ""
		close(t.shown)
	}
	return n, err
}

var cursorUpAndErase = regexp.MustCompile("\x1b\\[([0-9]+)A\x1b\\[J")

// displayed is what a terminal shows in the end: it goes up so many lines and
// erases from there, as it is told.
func displayed(text string) string {
	shown := ""
	for {
		at := cursorUpAndErase.FindStringSubmatchIndex(text)
		if at == nil {
			return shown + text
		}
		shown += text[:at[0]]
		up, _ := strconv.Atoi(text[at[2]:at[3]])
		for range up {
			shown = shown[:strings.LastIndexByte(strings.TrimSuffix(shown, "\n"), '\n')+1]
		}
		text = text[at[1]:]
	}
}

func halfDone() worker.Snapshot {
	return worker.Snapshot{
		Phase: "archive", Due: 2000, Users: 1000, Images: 6000, Bytes: 3 << 30,
		Requests: map[string]int64{"list": 1000, "image": 6000},
	}
}

func TestLogLinesAndBarDoNotTearEachOther(t *testing.T) {
	t.Parallel()
	out := &terminal{want: "quota 38/40", shown: make(chan struct{})}
	screen := NewScreen(out)
	fmt.Fprintln(screen, "line before the bar")
	stop := live(t.Context(), screen, Source{
		Snapshot: halfDone,
		Quota: func(context.Context) (store.QuotaUse, error) {
			return store.QuotaUse{PerMinute: 40, MinuteUsed: 38}, nil
		},
		PerMinute: 40,
	}, time.Millisecond, mpb.WithAutoRefresh(), mpb.ForceTTY(), mpb.WithWidth(160), mpb.WithRefreshRate(time.Millisecond))

	select {
	case <-out.shown:
	case <-time.After(time.Minute):
		t.Fatal("the bar never showed the quota")
	}

	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for n := range 100 {
				fmt.Fprintf(screen, "line %d of writer %d\n", n, w)
			}
		})
	}
	writers.Wait()
	stop()
	fmt.Fprintln(screen, "line after the bar")

	text := out.text.String()
	lines := make(map[string]int)
	for line := range strings.Lines(displayed(text)) {
		lines[line]++
	}
	for w := range 4 {
		for n := range 100 {
			if line := fmt.Sprintf("line %d of writer %d\n", n, w); lines[line] != 1 {
				t.Fatalf("%q is there %d times, want once and whole", line, lines[line])
			}
		}
	}
	if lines["line before the bar\n"] != 1 || lines["line after the bar\n"] != 1 {
		t.Error("a line beside the bar's life is missing")
	}
	for _, want := range []string{"archive 1,000 of 2,000 users", "50 %", "6,000 images · 3.0 GiB · 7,000 requests", "2h55m left"} {
		if !strings.Contains(text, want) {
			t.Errorf("the bar never says %q", want)
		}
	}
}

func TestLogLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logFigures(t.Context(), slog.New(slog.NewJSONHandler(&out, nil)), figures{
		Snapshot: halfDone(), perMinute: 39.6, left: time.Hour, quota: store.QuotaUse{PerMinute: 40, MinuteUsed: 38},
	})
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"event": "progress", "phase": "archive", "users": 1000.0, "users_due": 2000.0, "images": 6000.0, "requests": 7000.0,
		"requests_per_minute": 40.0, "seconds_left": 3600.0, "quota_minute": 38.0, "quota_minute_limit": 40.0,
	} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
}
