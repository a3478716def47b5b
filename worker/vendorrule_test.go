package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

var (
	noAnswer  = &vlens.Error{Endpoint: vlens.EndpointLogin, Fault: vlens.FaultNetwork}
	refused   = &vlens.Error{Endpoint: vlens.EndpointLogin, Fault: vlens.FaultUnauthorized, Status: 401}
	cut       = &vlens.Error{Endpoint: vlens.EndpointImage, Fault: vlens.FaultNetwork}
	throttled = &vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultThrottled, Status: 429}
	noHost    = &vlens.Error{Endpoint: vlens.EndpointImage, Fault: vlens.FaultNetwork, Unreached: true}
)

// trial is a vendor that answers check-ins from a moment on, and users who each
// ask it one question.
type trial struct {
	*vendor
	back      time.Time // no request is answered before
	broken    []int     // how many questions of these users break off after that, too
	breakOff  error     // how
	checkIns  atomic.Int64
	questions []int // by user
}

func newTrial(users int, back time.Duration) *trial {
	b := &trial{back: time.Now().Add(back), broken: make([]int, users), breakOff: cut, questions: make([]int, users)}
	b.vendor = newVendor(b.answerCheckIn, 10*time.Minute, slog.New(slog.DiscardHandler))
	return b
}

func (b *trial) answerCheckIn(ctx context.Context) error {
	b.checkIns.Add(1)
	if err := pause(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	if time.Now().Before(b.back) {
		return noAnswer
	}
	return nil
}

// run lets all users ask at once, and returns the errors of those who failed.
func (b *trial) run(ctx context.Context) map[int]error {
	failures := make(map[int]error)
	var mu sync.Mutex
	var all sync.WaitGroup
	for user := range b.questions {
		all.Go(func() {
			err := b.ask(ctx, func() error {
				b.questions[user]++
				if err := pause(ctx, 100*time.Millisecond); err != nil {
					return err
				}
				if time.Now().Before(b.back) {
					return b.breakOff
				}
				if b.broken[user] > 0 {
					b.broken[user]--
					return b.breakOff
				}
				return nil
			})
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				failures[user] = err
			}
		})
	}
	all.Wait()
	return failures
}

const always = 1000

// While the vendor is away nobody spends a request but those who check in. When it
// is back, only what is really broken fails.
func TestAbsenceOfTheVendorIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]error{"cut": cut, "throttled": throttled, "no host": noHost, "no login": noAnswer} {
		synctest.Test(t, func(t *testing.T) {
			b := newTrial(8, 2*time.Minute)
			b.breakOff = how
			b.broken[3] = always
			failures := b.run(t.Context())
			if len(failures) != 1 || !errors.Is(failures[3], how) {
				t.Errorf("%s: failed: %v, want user 3 only", name, failures)
			}
			for user, n := range b.questions {
				if most := map[bool]int{true: 1 + mostAbsences, false: 2}[user == 3]; n > most {
					t.Errorf("%s: user %d asked %d times", name, user, n)
				}
			}
			// After half a second, one, two, four … up to a minute; and for user 3, where
			// the failure says that nobody could have been answered.
			if n := b.checkIns.Load(); n > 10+mostAbsences {
				t.Errorf("%s: %d check-ins in two minutes", name, n)
			}
		})
	}
}

func TestAbsenceOfTheVendorBeyondTheBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTrial(8, time.Hour)
		began := time.Now()
		failures := b.run(t.Context())
		for user, n := range b.questions {
			var outage *OutageError
			if !errors.As(failures[user], &outage) || outage.Service != "Vlens" || !errors.Is(failures[user], noAnswer) || n != 1 {
				t.Errorf("user %d: %v after %d questions, want an outage after one", user, failures[user], n)
			}
		}
		if took, n := time.Since(began), b.checkIns.Load(); took > 12*time.Minute || n > 20 {
			t.Errorf("it took %s and %d check-ins", took, n)
		}
	})
}

// What breaks off while the vendor answers a check-in fails by itself: at once,
// however many do and whether or not anybody else asks. One check-in is enough.
func TestBrokenRequestsFailByThemselves(t *testing.T) {
	t.Parallel()
	for _, how := range []error{cut, throttled} {
		for _, users := range []int{1, 3, 12} {
			for range 5 { // the same input ends the same way every time
				synctest.Test(t, func(t *testing.T) {
					b := newTrial(users+4, 0)
					b.breakOff = how
					for user := range users {
						b.broken[user] = always
					}
					began := time.Now()
					failures := b.run(t.Context())
					for user, n := range b.questions {
						if broken := user < users; n != 1 || broken != errors.Is(failures[user], how) {
							t.Errorf("of %d broken users: user %d asked %d times and ended with %v", users, user, n, failures[user])
						}
					}
					if n := b.checkIns.Load(); n != 1 || time.Since(began) > time.Second {
						t.Errorf("of %d broken users: %d check-ins in %s", users, n, time.Since(began))
					}
				})
			}
		}
	}
}

// An answered check-in counts for a minute.
func TestOneCheckInAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTrial(1, 0)
		b.broken[0] = always
		for range 100 {
			if failures := b.run(t.Context()); failures[0] == nil {
				t.Fatal("the user has not failed")
			}
			_ = pause(t.Context(), 3*time.Second)
		}
		if n := b.checkIns.Load(); n < 5 || n > 6 {
			t.Errorf("%d check-ins in five minutes", n)
		}
	})
}

// A refusal is an answer: it says that the vendor is there.
func TestRefusedCheckInIsAnAnswer(t *testing.T) {
	t.Parallel()
	v := newVendor(func(context.Context) error { return refused }, time.Minute, slog.New(slog.DiscardHandler))
	if err := v.ask(t.Context(), func() error { return cut }); !errors.Is(err, cut) {
		t.Errorf("the question ended with %v", err)
	}
}

// Where nothing can be reached, that is about nobody's question, so it is asked
// again once the vendor answers; but not for ever.
func TestUnreachedQuestionIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTrial(2, 0)
		b.breakOff = noHost
		b.broken[0], b.broken[1] = 1, always
		failures := b.run(t.Context())
		if failures[0] != nil || !errors.Is(failures[1], noHost) || b.questions[1] != 1+mostAbsences {
			t.Errorf("failed: %v after %v questions", failures, b.questions)
		}
	})
}

// Who checks in for all may be cancelled: the next in line goes on, and the time
// of the absence with it.
func TestCancelledCheckInIsTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTrial(1, 5*time.Minute)
		cancelled, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		var first sync.WaitGroup
		first.Go(func() {
			if err := b.ask(cancelled, func() error { return cut }); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the first ended with %v", err)
			}
		})
		_ = pause(t.Context(), time.Second) // until it is known to be away
		if failures := b.run(t.Context()); len(failures) != 0 || b.questions[0] != 1 {
			t.Errorf("the second: %v after %d questions", failures, b.questions[0])
		}
		first.Wait()
		if n := b.checkIns.Load(); n > 15 {
			t.Errorf("%d check-ins in five minutes", n)
		}
	})
}

// A check-in that could not be made says nothing of the vendor.
func TestCheckInWithoutTheQuota(t *testing.T) {
	t.Parallel()
	noSlot := fmt.Errorf("take a slot of the quota: %w", store.ErrUnavailable)
	v := newVendor(func(context.Context) error { return noSlot }, time.Minute, slog.New(slog.DiscardHandler))
	if err := v.ask(t.Context(), func() error { return cut }); !errors.Is(err, noSlot) {
		t.Errorf("the question ended with %v", err)
	}
}

// At a stop everybody who waits for the vendor is dropped at once, and nothing more
// is asked.
func TestStopEndsTheWaitForTheVendor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTrial(8, time.Hour)
		stop, tell := context.WithCancel(t.Context())
		b.stop = stop.Done()
		began := time.Now()
		time.AfterFunc(time.Minute, tell)
		for user, err := range b.run(t.Context()) {
			if !errors.Is(err, errStopped) || !stopsRun(err) {
				t.Errorf("user %d ended with %v", user, err)
			}
		}
		asked := b.checkIns.Load()
		if took := time.Since(began); took > time.Minute+time.Second {
			t.Errorf("the stop took %s", took-time.Minute)
		}
		b.run(t.Context())
		if b.checkIns.Load() != asked {
			t.Error("a check-in was made after the stop")
		}
	})
}
