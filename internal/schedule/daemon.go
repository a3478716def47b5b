// Package schedule decides when a process that stays up takes part in which run.
package schedule

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// RunID names the run of a tick. Every replica gives it the same name, so that
// they work on one run.
func RunID(tick time.Time) string {
	return "cron-" + strings.ToLower(tick.UTC().Format("20060102T150405Z"))
}

// again names the run that goes on where interrupted runs of the tick have left off.
func again(tick time.Time, attempt int) string {
	if attempt == 1 {
		return RunID(tick)
	}
	return fmt.Sprintf("%s-%d", RunID(tick), attempt)
}

// Standing is where a run stands.
type Standing int

// The standings of a run.
const (
	Open        Standing = iota // or not begun
	Ended                       // it came to its end
	Interrupted                 // it was closed because nobody worked on it any more
)

// Ticks are the times at which runs start.
type Ticks interface {
	// Next is the first tick after the time; the zero time when there is none.
	Next(after time.Time) time.Time
}

// Verdict is what a part in a run means for the process that stays up.
type Verdict int

// The verdicts.
const (
	Done  Verdict = iota // this process has nothing more to do in the run
	Retry                // it failed, and may succeed later
	End                  // nothing can succeed before a person has acted
)

const (
	// lookBack is how old a missed tick may be: a weekly run is caught up, when
	// nobody was there for a day or two, and a year-old one is not.
	lookBack = 8 * 24 * time.Hour
	// longestSleep is bounded because a timer does not notice that the clock was set
	// or that the machine was suspended.
	longestSleep = time.Minute
	// A run that failed is tried again after firstRetry, then after twice that,
	// and so on until the next tick.
	firstRetry = 15 * time.Minute
	// mostRuns bounds the runs of one tick: it is far more than the retries that fit
	// between two ticks.
	mostRuns = 50
)

// Daemon takes part in the run of each tick. Runs do not overlap: of the ticks
// that passed during a run, or while nobody was there, the latest is caught up.
// It has no state of its own: the ledger knows which runs have ended.
type Daemon struct {
	Ticks Ticks
	// Standing looks where the run stands.
	Standing func(ctx context.Context, runID string) (Standing, error)
	// TakePart takes part in the run. Run returns its error when the verdict is End
	// or the context has ended; every other error is for TakePart to log.
	TakePart func(runID string) (Verdict, error)
	// Waiting is called with the time of the next part, each time that changes.
	Waiting func(until time.Time)

	waiting time.Time // of the last call of Waiting
}

// Run runs until ctx ends or a verdict is End, and returns the error of the last
// part; nil when ctx ended between two runs.
func (d *Daemon) Run(ctx context.Context) error {
	var settled time.Time // the tick for which there is nothing more to do
	var failed retry
	for ctx.Err() == nil {
		tick := d.latest(time.Now())
		if tick.IsZero() || tick.Equal(settled) || failed.waits(tick) {
			d.sleep(ctx, failed.at)
			continue
		}

		runID, ended := d.runOf(ctx, tick)
		if ended {
			settled, failed = tick, retry{}
			continue
		}
		verdict, err := d.TakePart(runID)
		switch {
		case ctx.Err() != nil || verdict == End:
			return err
		case verdict == Done:
			settled, failed = tick, retry{}
		default:
			failed.later(tick)
		}
	}
	return nil
}

// runOf is the run of the tick, and whether it has ended. A run that was interrupted,
// because nobody was there for it or because another run closed it before a retry,
// is followed by another one.
//
// When the ledger cannot say where the run stands, it is taken part in all the same:
// the run itself then tells heartbeat, webhook and log what is wrong.
func (d *Daemon) runOf(ctx context.Context, tick time.Time) (runID string, ended bool) {
	for attempt := 1; attempt <= mostRuns; attempt++ {
		runID = again(tick, attempt)
		standing, err := d.Standing(ctx, runID)
		if err != nil || standing != Interrupted {
			return runID, err == nil && standing == Ended
		}
	}
	return runID, true
}

// latest is the last tick up to now, within lookBack; zero when there is none.
func (d *Daemon) latest(now time.Time) (latest time.Time) {
	for tick := d.Ticks.Next(now.Add(-lookBack)); !tick.IsZero() && !tick.After(now); tick = d.Ticks.Next(tick) {
		latest = tick
	}
	return latest
}

// sleep sleeps until the next tick or the retry, if there is one, but no longer
// than longestSleep.
func (d *Daemon) sleep(ctx context.Context, retry time.Time) {
	until := d.Ticks.Next(time.Now())
	if !retry.IsZero() && (until.IsZero() || retry.Before(until)) {
		until = retry
	}
	if !until.Equal(d.waiting) {
		d.waiting = until
		d.Waiting(until)
	}
	timer := time.NewTimer(min(longestSleep, max(0, time.Until(until))))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// retry is when the failed run of a tick is tried again.
type retry struct {
	tick time.Time
	wait time.Duration
	at   time.Time
}

func (r *retry) waits(tick time.Time) bool { return tick.Equal(r.tick) && time.Now().Before(r.at) }

func (r *retry) later(tick time.Time) {
	if tick.Equal(r.tick) {
		r.wait *= 2
	} else {
		r.tick, r.wait = tick, firstRetry
	}
	r.at = time.Now().Add(r.wait)
}
