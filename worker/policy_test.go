package worker

import (
	"testing"
	"time"

	"vlens-archiver/store"
)

func TestNextDue(t *testing.T) {
	t.Parallel()
	const recheck = 2160 * time.Hour
	within := func(low, high time.Duration) func(time.Duration) bool {
		return func(d time.Duration) bool { return low <= d && d <= high }
	}
	exactly := func(want time.Duration) func(time.Duration) bool { return within(want, want) }
	rechecked := within(recheck*9/10, recheck*11/10)
	for _, c := range []struct {
		name     string
		outcome  store.Outcome
		class    store.Class
		attempts int
		last     store.Class // of the attempt before
		want     func(time.Duration) bool
	}{
		{"archived", store.OutcomeArchived, "", 0, "", rechecked},
		{"unchanged", store.OutcomeUnchanged, "", 0, "", rechecked},
		{"first transient failure", store.OutcomeFailed, store.ClassTimeout, 0, "", exactly(15 * time.Minute)},
		{"third transient failure", store.OutcomeFailed, store.ClassTimeout, 2, store.ClassTimeout, exactly(time.Hour)},
		{"many transient failures", store.OutcomeFailed, store.ClassTimeout, 1000, store.ClassTimeout, exactly(24 * time.Hour)},
		{"settled", store.OutcomeFailed, store.ClassSharedTransaction, 0, "", exactly(24 * time.Hour)},
		{"settled after many transient failures", store.OutcomeFailed, store.ClassSharedTransaction, 9, store.ClassTimeout, exactly(24 * time.Hour)},
		{"settled as before", store.OutcomeUnchanged, store.ClassSharedTransaction, 2, store.ClassSharedTransaction, exactly(4 * 24 * time.Hour)},
		{"settled for ever", store.OutcomeUnchanged, store.ClassGone, 1000, store.ClassGone, exactly(30 * 24 * time.Hour)},
		{"partial, worth another try", store.OutcomePartial, store.ClassNetwork, 1, store.ClassNetwork, exactly(30 * time.Minute)},
		{"partial, the rest is gone", store.OutcomePartial, store.ClassGone, 0, "", exactly(24 * time.Hour)},
		{"no images", store.OutcomeNoImages, "", 0, "", exactly(24 * time.Hour)},
		{"not found after a failure", store.OutcomeNotFound, "", 3, store.ClassTimeout, exactly(24 * time.Hour)},
	} {
		result := store.Result{
			Task: store.Task{State: store.StatePartial, LastClass: c.last, Settled: c.last.Settled(), Attempts: c.attempts, HasImages: true}, Outcome: c.outcome, Class: c.class,
		}
		for range 100 { // rechecks are spread at random
			if got := NextDue(result, recheck); !c.want(got) {
				t.Errorf("%s: due after %v", c.name, got)
				break
			}
		}
	}
	notFound := store.Result{Task: store.Task{State: store.StateNotFound, Settled: true, Attempts: 3}, Outcome: store.OutcomeNotFound}
	if got := NextDue(notFound, recheck); got != 8*24*time.Hour {
		t.Errorf("not found for the fourth time: due after %v", got)
	}
	passing := store.Result{Outcome: store.OutcomePartial, Class: store.ClassGone, Passing: true}
	if got := NextDue(passing, recheck); got != 15*time.Minute {
		t.Errorf("partial, said to be gone for the first time: due after %v", got)
	}
	if got := NextDue(store.Result{Outcome: store.OutcomeArchived}, 0); got != store.Never {
		t.Errorf("without rechecks an archived user is due after %v", got)
	}
}

func TestIdentifiersOf(t *testing.T) {
	t.Parallel()
	both := []Identifier{ByPhone, ByEmail}
	for _, c := range []struct {
		name  string
		user  store.User
		order []Identifier
		want  []string
	}{
		{"local number", store.User{Phone: "01001234567"}, both, []string{"+201001234567"}},
		{"spaces and hyphens", store.User{Phone: " 0100 123-4567 "}, both, []string{"+201001234567"}},
		{"international", store.User{Phone: "+201001234567"}, both, []string{"+201001234567"}},
		{"double zero", store.User{Phone: "00201001234567"}, both, []string{"+201001234567"}},
		{"Arabic digits", store.User{Phone: "٠١٠٠١٢٣٤٥٦٧"}, both, []string{"+201001234567"}},
		{"another country", store.User{Phone: "+966501234567"}, both, []string{"+966501234567"}},
		{"email", store.User{Email: "  Mona@Example.COM "}, both, []string{"mona@example.com"}},
		{"both in order", store.User{Phone: "01001234567", Email: "a@b.example"}, both, []string{"+201001234567", "a@b.example"}},
		{"the other order", store.User{Phone: "01001234567", Email: "a@b.example"}, []Identifier{ByEmail, ByPhone}, []string{"a@b.example", "+201001234567"}},
		{"only one wanted", store.User{Phone: "01001234567", Email: "a@b.example"}, []Identifier{ByEmail}, []string{"a@b.example"}},
		{"nothing usable", store.User{Phone: "n/a", Email: "none"}, both, nil},
		{"empty", store.User{}, both, nil},
		{"two addresses", store.User{Email: "a@b.example c@d.example"}, both, nil},
		{"half addresses", store.User{Email: "@b.example"}, both, nil},
	} {
		var got []string
		for _, id := range identifiersOf(c.user, c.order, "EG") {
			got = append(got, id.value.Reveal())
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
			continue
		}
		for n := range got {
			if got[n] != c.want[n] {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	figures := store.PlanFigures{
		Due:           map[store.DueReason]int64{store.DueNew: 100, store.DueRecheck: 50},
		DueListings:   50,
		ImagesPerUser: 5, BytesPerImage: 1000,
	}
	plan := NewPlan(figures, store.Selection{}, 40, now)
	if plan.DueTotal != 150 || plan.Requests != 100+500+50 || plan.Bytes != 500*1000 || !plan.FromHistory {
		t.Errorf("%+v", plan)
	}
	if want := 16*time.Minute + 15*time.Second; plan.Duration != want || !plan.Finish.Equal(now.Add(want)) {
		t.Errorf("650 requests at 40 a minute take %v until %v", plan.Duration, plan.Finish)
	}

	unbounded := NewPlan(figures, store.Selection{}, 0, now)
	if unbounded.DueTotal != 150 || unbounded.Requests != 650 || unbounded.Duration != 0 || !unbounded.Finish.IsZero() {
		t.Errorf("without a quota: %+v", unbounded)
	}

	forced := NewPlan(figures, store.Selection{Force: true}, 0, now)
	if forced.Requests != 150+150*5 {
		t.Errorf("fetching everything again takes %d requests", forced.Requests)
	}

	figures.Due[store.DueRetry], figures.DueListings, figures.Unverified = 30, 70, 20
	if unverified := NewPlan(figures, store.Selection{}, 0, now); unverified.DueTotal != 180 || unverified.Requests != 180+110*5 {
		t.Errorf("twenty of whom Vlens had nothing: %+v", unverified)
	}

	figures.Due[store.DueRetry], figures.DueListings, figures.Unverified = 0, 50, 0
	figures.ImagesPerUser = 0
	if first := NewPlan(figures, store.Selection{}, 40, now); first.Requests != 150+600 || first.FromHistory {
		t.Errorf("without a history six images are taken for each user: %+v", first)
	}
}
