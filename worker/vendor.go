package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"vlens-archiver/vlens"
)

const (
	// checkInEvery is how long the answer to a check-in counts, and the longest
	// wait between two check-ins while the vendor is away.
	checkInEvery = time.Minute
	// mostAbsences is how many absences of the vendor one question may meet before
	// it fails by itself.
	mostAbsences = 3
)

// vendor decides whether the vendor is away when a request breaks off, or whether
// only what was asked for fails. It asks the vendor something cheap that must
// work, a login, and the whole process goes by what comes of it:
//
//   - answered: what was asked for fails by itself. So does whatever else breaks
//     off within a minute.
//   - not answered: the vendor is away. Nobody asks it for anything but to log in,
//     at growing intervals, until it answers or the bound is over. Then those whose
//     requests broke off ask again.
type vendor struct {
	absence
	checkIn func(context.Context) error

	// turn is full while somebody checks in.
	turn chan struct{}
	away atomic.Bool

	// These belong to the holder of the turn.
	since    time.Time     // when the vendor was first found away
	tries    int           // check-ins since then
	interval time.Duration // until the next one
	back     time.Time     // when it last came back
	answered time.Time     // when it last answered a check-in
	outage   error         // set for good once the bound is over
}

func newVendor(checkIn func(context.Context) error, bound time.Duration, log *slog.Logger) *vendor {
	return &vendor{
		absence: absence{service: "Vlens", bound: bound, log: log},
		checkIn: checkIn,
		turn:    make(chan struct{}, 1),
	}
}

// askVendor puts a question to the vendor. The ledger, which keeps the quota, may be
// what is away.
func askVendor[T any](ctx context.Context, w *Worker, question func() (T, error)) (answer T, err error) {
	err = w.database.try(ctx, func() error {
		return w.vendor.ask(ctx, func() (err error) {
			answer, err = question()
			return err
		})
	})
	return answer, err
}

// ask puts a question to the vendor: when it is there, and again when it was away
// meanwhile.
func (v *vendor) ask(ctx context.Context, question func() error) error {
	for absences := 0; ; absences++ {
		if v.away.Load() {
			if err := v.awaitReturn(ctx); err != nil {
				return err
			}
		}
		began := time.Now()
		err := question()
		sign := vendorSign(err)
		if sign == answered {
			return err
		}
		wasAway, failure := v.confirm(ctx, sign, began)
		if failure != nil {
			return failure
		}
		if !wasAway || absences == mostAbsences {
			return err
		}
	}
}

// confirm finds out whether the vendor was away while a question was put that had
// this sign, and returns when it is there.
func (v *vendor) confirm(ctx context.Context, sign sign, began time.Time) (wasAway bool, err error) {
	if err := v.take(ctx); err != nil {
		return false, err
	}
	defer v.leave()
	switch {
	case v.away.Load():
	case v.back.After(began):
		return true, nil
	case sign == brokeOff && time.Since(v.answered) < checkInEvery:
		return false, nil
	}
	if err := v.checkInUntilAnswered(ctx); err != nil {
		return false, err
	}
	return sign == unreached || v.back.After(began), nil
}

func (v *vendor) awaitReturn(ctx context.Context) error {
	if err := v.take(ctx); err != nil {
		return err
	}
	defer v.leave()
	if !v.away.Load() {
		return nil
	}
	return v.checkInUntilAnswered(ctx)
}

// checkInUntilAnswered checks in, with growing waits in between. Who is cut short
// leaves the absence to the next in line.
func (v *vendor) checkInUntilAnswered(ctx context.Context) error {
	for {
		err := v.checkIn(ctx)
		if ctx.Err() != nil {
			return endOf(ctx)
		}
		if vendorSign(err) == answered {
			return v.noteAnswer(err)
		}
		if err := v.noteAbsence(err); err != nil {
			return err
		}
		if err := v.wait(ctx, v.stop, v.interval); err != nil {
			return err
		}
	}
}

// noteAnswer passes on an error that is not of the vendor, such as one of the
// ledger, which keeps the quota: then nothing is known.
func (v *vendor) noteAnswer(err error) error {
	if _, ofVendor := errors.AsType[*vlens.Error](err); err != nil && !ofVendor {
		return err
	}
	v.answered = time.Now()
	if v.away.Swap(false) {
		v.back = v.answered
	}
	return nil
}

func (v *vendor) noteAbsence(err error) error {
	if !v.away.Swap(true) {
		v.since, v.tries, v.interval = time.Now(), 0, firstWait/2
	}
	if v.outage = v.exceeded(v.since, err); v.outage != nil {
		return v.outage
	}
	v.tries++
	v.interval = min(2*v.interval, checkInEvery)
	v.warn(v.tries, err)
	return nil
}

// take waits for the turn to check in. While the vendor is away nobody waits once
// the process is told to stop.
func (v *vendor) take(ctx context.Context) error {
	select {
	case v.turn <- struct{}{}:
	case <-ctx.Done():
		return endOf(ctx)
	}
	err := v.outage
	if err == nil && v.away.Load() && v.stopped() {
		err = v.drop()
	}
	if err != nil {
		v.leave()
	}
	return err
}

func (v *vendor) leave() { <-v.turn }
