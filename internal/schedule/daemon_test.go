package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
)

// clock is the layout of times here.
const clock = "02 15:04"

// ledger knows which runs have ended.
type ledger struct {
	mu   sync.Mutex
	runs map[string]Standing
}

func ledgerWith(ended ...string) *ledger {
	l := &ledger{runs: make(map[string]Standing)}
	for _, runID := range ended {
		l.end(runID)
	}
	return l
}

func (l *ledger) end(runID string) { l.set(runID, Ended) }

func (l *ledger) set(runID string, standing Standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs[runID] = standing
}

func (l *ledger) standing(runID string) Standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.runs[runID]
}

// world is a daemon and its ledger. All of it lives in a bubble of synctest, whose clock begins at 2000-01-01 00:00 UTC, a
// Saturday.
type world struct {
	t      *testing.T
	ledger *ledger
	asked  int // questions to the ledger
	parts  []string
	waits  []string
	answer func(runID string) (Verdict, error) // of a part; nil ends the run at once
}

func (w *world) daemon(cron string) *Daemon {
	w.t.Helper()
	ticks, err := config.Schedule{Cron: cron, Timezone: "UTC"}.Ticks()
	if err != nil {
		w.t.Fatal(err)
	}
	if w.ledger == nil {
		w.ledger = ledgerWith()
	}
	return &Daemon{
		Ticks: ticks,
		Standing: func(_ context.Context, runID string) (Standing, error) {
			w.asked++
			return w.ledger.standing(runID), nil
		},
		TakePart: func(runID string) (Verdict, error) {
			w.parts = append(w.parts, fmt.Sprintf("%s at %s", runID, time.Now().UTC().Format(clock)))
			if w.answer != nil {
				return w.answer(runID)
			}
			w.ledger.end(runID)
			return Done, nil
		},
		Waiting: func(until time.Time) { w.waits = append(w.waits, until.UTC().Format(clock)) },
	}
}

func (w *world) tookPart(want ...string) {
	w.t.Helper()
	if !slices.Equal(w.parts, want) {
		w.t.Errorf("parts %q, want %q", w.parts, want)
	}
}

// during runs the daemon for a time; it ends between two runs.
func during(t *testing.T, d *Daemon, length time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	if err := d.Run(ctx); err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestEveryTickHasOneRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		during(t, w.daemon("0 22 * * *"), 72*time.Hour)
		w.tookPart(
			"cron-19991231t220000z at 01 00:00", // nobody was there
			"cron-20000101t220000z at 01 22:00", "cron-20000102t220000z at 02 22:00", "cron-20000103t220000z at 03 22:00")
		if want := []string{"01 22:00", "02 22:00", "03 22:00", "04 22:00"}; !slices.Equal(w.waits, want) {
			t.Errorf("waits %q, want %q", w.waits, want)
		}
		if w.asked != 4 {
			t.Errorf("the ledger was asked %d times between four runs", w.asked)
		}
		for _, part := range w.parts {
			if runID, _, _ := strings.Cut(part, " "); !store.ValidRunID(runID) {
				t.Errorf("%q is no run id", runID)
			}
		}
	})
}

func TestMissedTicks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cron  string
		ended string // run that somebody else has closed
		parts []string
	}{
		"the latest of many":     {"*/5 * * * *", "", []string{"cron-20000101t000000z at 01 00:00"}},
		"a week old":             {"0 1 * * 6", "", []string{"cron-19991225t010000z at 01 00:00"}},
		"too old":                {"0 0 1 12 *", "", nil},
		"done by another":        {"@daily", "cron-20000101t000000z", nil},
		"only an older one done": {"@daily", "cron-19991231t000000z", []string{"cron-20000101t000000z at 01 00:00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, ledger: ledgerWith(c.ended)}
				during(t, w.daemon(c.cron), 3*time.Minute)
				w.tookPart(c.parts...)
			})
		})
	}
}

// A run that is longer than the period is followed by one run, of the latest
// tick that passed.
func TestLongRunsDoNotOverlap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		underWay := 0
		w.answer = func(runID string) (Verdict, error) {
			underWay++
			defer func() { underWay-- }()
			if underWay > 1 {
				t.Error("two runs at once")
			}
			time.Sleep(150 * time.Minute)
			w.ledger.end(runID)
			return Done, nil
		}
		during(t, w.daemon("0 * * * *"), 4*time.Hour)
		w.tookPart("cron-20000101t000000z at 01 00:00", "cron-20000101t020000z at 01 02:30")
	})
}

func TestReplicasShareTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := ledgerWith()
		worlds := []*world{{t: t, ledger: shared}, {t: t, ledger: shared}}
		finished := make(chan struct{})
		for n, w := range worlds {
			w.answer = func(runID string) (Verdict, error) {
				time.Sleep(time.Minute)
				shared.end(runID)
				return Done, nil
			}
			go func() {
				time.Sleep(time.Duration(n) * 30 * time.Second) // their clocks differ
				during(t, w.daemon("0 22 * * *"), 23*time.Hour)
				finished <- struct{}{}
			}()
		}
		<-finished
		<-finished
		worlds[0].tookPart("cron-19991231t220000z at 01 00:00", "cron-20000101t220000z at 01 22:00")
		worlds[1].tookPart("cron-19991231t220000z at 01 00:00", "cron-20000101t220000z at 01 22:00")
	})
}

// A part that this process has done is not begun again while others still work
// on the run.
func TestOwnPartIsDoneOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, answer: func(string) (Verdict, error) { return Done, errors.New("users failed") }}
		during(t, w.daemon("@daily"), 23*time.Hour)
		w.tookPart("cron-20000101t000000z at 01 00:00")
	})
}

func TestFailedRunIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, answer: func(string) (Verdict, error) { return Retry, errors.New("ledger away") }}
		during(t, w.daemon("0 2 * * *"), 3*time.Hour)
		w.tookPart(
			"cron-19991231t020000z at 01 00:00", "cron-19991231t020000z at 01 00:15", "cron-19991231t020000z at 01 00:45", "cron-19991231t020000z at 01 01:45",
			"cron-20000101t020000z at 01 02:00", "cron-20000101t020000z at 01 02:15", "cron-20000101t020000z at 01 02:45")
	})
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.answer = func(runID string) (Verdict, error) {
			w.ledger.end(runID) // it failed and was closed, or another replica did it
			return Retry, errors.New("too many users are missing")
		}
		during(t, w.daemon("0 2 * * *"), time.Hour)
		w.tookPart("cron-19991231t020000z at 01 00:00")
	})
}

// A run that failed, and was closed by another run before its retry, does not keep
// the tick from being caught up; neither does one that nobody was there for.
func TestInterruptedRunIsFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.answer = func(runID string) (Verdict, error) {
			if len(w.parts) < 3 {
				w.ledger.set(runID, Interrupted)
				return Retry, errors.New("ledger away")
			}
			w.ledger.end(runID)
			return Done, nil
		}
		during(t, w.daemon("0 2 * * *"), 90*time.Minute)
		w.tookPart("cron-19991231t020000z at 01 00:00", "cron-19991231t020000z-2 at 01 00:15", "cron-19991231t020000z-3 at 01 00:45")
		if !store.ValidRunID("cron-19991231t020000z-50") {
			t.Error("that is no run id")
		}
	})
}

func TestWhatCannotBeAskedIsTried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		d := w.daemon("@daily")
		d.Standing = func(context.Context, string) (Standing, error) { return Ended, errors.New("ledger away") }
		during(t, d, time.Hour)
		w.tookPart("cron-20000101t000000z at 01 00:00")
	})
}

func TestEndOfTheDaemon(t *testing.T) {
	t.Parallel()
	refused := errors.New("credentials refused")
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, answer: func(string) (Verdict, error) { return End, refused }}
		if err := w.daemon("@daily").Run(t.Context()); !errors.Is(err, refused) {
			t.Errorf("ended with %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		stopped := errors.New("stopped in the middle of a run")
		w := &world{t: t, answer: func(string) (Verdict, error) {
			stop()
			return Retry, stopped
		}}
		if err := w.daemon("@daily").Run(ctx); !errors.Is(err, stopped) {
			t.Errorf("ended with %v", err)
		}
		w.tookPart("cron-20000101t000000z at 01 00:00")
	})
}
