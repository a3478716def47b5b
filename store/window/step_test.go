package window_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	. "vlens-archiver/store/window"
)

// turn is one step of a story: at an instant, a process reports.
type turn struct {
	at      Instant
	report  Report
	granted []int64
	wake    Instant // 0 = not looked at
}

func TestStep(t *testing.T) {
	t.Parallel()
	one := Limits{PerShort: 1}
	minute := Limits{PerLong: 1, Margin: 250}
	for _, story := range []struct {
		name  string
		turns []turn
	}{
		{"a slot is taken until its response and a window after", []turn{
			{at: 0, report: Report{ID: "a", Limits: one, Waiting: []int64{1, 2}}, granted: []int64{1}, wake: 250},
			{at: 5_000, report: Report{ID: "a", Limits: one, Waiting: []int64{2}, Flying: []int64{1}}},
			{at: 6_100, report: Report{ID: "a", Limits: one, Waiting: []int64{2}, Done: []Done{{1, 100}}}, wake: 7_001},
			{at: 7_000, report: Report{ID: "a", Limits: one, Waiting: []int64{2}}, wake: 7_001},
			{at: 7_001, report: Report{ID: "a", Limits: one, Waiting: []int64{2}}, granted: []int64{2}},
		}},
		{"both windows bind at once", []turn{
			{at: 0, report: Report{ID: "a", Limits: Limits{PerShort: 2, PerLong: 3}, Waiting: []int64{1, 2, 3, 4}}, granted: []int64{1, 2}},
			{at: 10, report: Report{ID: "a", Limits: Limits{PerShort: 2, PerLong: 3}, Waiting: []int64{3, 4}, Done: []Done{{1, 0}, {2, 0}}}, wake: 1_010},
			{at: 1_011, report: Report{ID: "a", Limits: Limits{PerShort: 2, PerLong: 3}, Waiting: []int64{3, 4}}, granted: []int64{3}},
			{at: 60_010, report: Report{ID: "a", Limits: Limits{PerShort: 2, PerLong: 3}, Waiting: []int64{4}, Flying: []int64{3}}},
			{at: 60_011, report: Report{ID: "a", Limits: Limits{PerShort: 2, PerLong: 3}, Waiting: []int64{4}, Flying: []int64{3}}, granted: []int64{4}},
		}},
		{"an earlier ask of another process is not overtaken", []turn{
			{at: 0, report: Report{ID: "a", Limits: one, Waiting: []int64{1}}, granted: []int64{1}},
			{at: 1, report: Report{ID: "b", Limits: one, Waiting: []int64{1}}},
			{at: 2, report: Report{ID: "a", Limits: one, Waiting: []int64{2}, Done: []Done{{1, 0}}}},
			{at: 1_003, report: Report{ID: "a", Limits: one, Waiting: []int64{2}}},
			{at: 1_004, report: Report{ID: "b", Limits: one, Waiting: []int64{1}}, granted: []int64{1}},
		}},
		{"an absent process is passed over", []turn{
			{at: 0, report: Report{ID: "a", Limits: one, Waiting: []int64{1}}, granted: []int64{1}},
			{at: 1, report: Report{ID: "b", Limits: one, Waiting: []int64{1}}},
			{at: 2, report: Report{ID: "a", Limits: one, Waiting: []int64{2}, Done: []Done{{1, 0}}}},
			{at: 3_001, report: Report{ID: "a", Limits: one, Waiting: []int64{2}}},
			{at: 3_002, report: Report{ID: "a", Limits: one, Waiting: []int64{2}}, granted: []int64{2}},
		}},
		{"a dead process's slot counts as answered at its death", []turn{
			{at: 0, report: Report{ID: "a", Limits: minute, Waiting: []int64{1}}, granted: []int64{1}},
			{at: 60_000, report: Report{ID: "b", Limits: minute, Waiting: []int64{1}}, wake: 61_000},
			{at: 120_250, report: Report{ID: "b", Limits: minute, Waiting: []int64{1}}},
			{at: 120_251, report: Report{ID: "b", Limits: minute, Waiting: []int64{1}}, granted: []int64{1}},
		}},
		{"who was taken for dead still has its request under way", []turn{
			{at: 0, report: Report{ID: "a", Limits: one, Waiting: []int64{1}}, granted: []int64{1}},
			{at: 70_000, report: Report{ID: "a", Limits: one, Waiting: []int64{2}, Flying: []int64{1}}},
			{at: 80_000, report: Report{ID: "a", Limits: one, Waiting: []int64{2}, Flying: []int64{1}}},
		}},
		{"a grant whose answer was lost is given again", []turn{
			{at: 0, report: Report{ID: "a", Limits: one, Waiting: []int64{1}}, granted: []int64{1}},
			{at: 500, report: Report{ID: "a", Limits: one, Waiting: []int64{1}}, granted: []int64{1}},
		}},
		{"a slot that was never used does not count", []turn{
			{at: 0, report: Report{ID: "a", Limits: one, Waiting: []int64{1}}, granted: []int64{1}},
			{at: 10, report: Report{ID: "a", Limits: one, Waiting: []int64{2}}, granted: []int64{2}},
		}},
		{"the stricter limit binds, until its process leaves", []turn{
			{at: 0, report: Report{ID: "strict", Limits: one}},
			{at: 0, report: Report{ID: "lax", Limits: Limits{PerShort: 3}, Waiting: []int64{1, 2, 3}}, granted: []int64{1}},
			{at: 1, report: Report{ID: "strict", Limits: one, Leaving: true}},
			{at: 2, report: Report{ID: "lax", Limits: Limits{PerShort: 3}, Waiting: []int64{2, 3}, Flying: []int64{1}}, granted: []int64{2, 3}},
		}},
		{"an ask that its run holds back is passed over", []turn{
			{at: 0, report: Report{ID: "a", Limits: Limits{PerLong: 9, Run: "r", PerLongOfRun: 1}, Waiting: []int64{1, 2}}, granted: []int64{1}},
			{at: 1, report: Report{ID: "b", Limits: Limits{PerLong: 9, Run: "r", PerLongOfRun: 1}, Waiting: []int64{1}}},
			{at: 2, report: Report{ID: "c", Limits: Limits{PerLong: 9}, Waiting: []int64{1}}, granted: []int64{1}},
		}},
		{"a quarter goes at once, the rest evenly, and a late grant is made up for", []turn{
			{at: 0, report: Report{ID: "a", Limits: Limits{PerLong: 24}, Waiting: []int64{1, 2, 3, 4, 5, 6, 7, 8, 9}}, granted: []int64{1, 2, 3, 4, 5, 6}, wake: 1_000},
			{at: 2_500, report: Report{ID: "a", Limits: Limits{PerLong: 24}, Waiting: []int64{7, 8, 9}, Flying: []int64{1, 2, 3, 4, 5, 6}}, granted: []int64{7}},
			{at: 7_500, report: Report{ID: "a", Limits: Limits{PerLong: 24}, Waiting: []int64{8, 9}, Flying: []int64{1, 2, 3, 4, 5, 6, 7}}, granted: []int64{8, 9}},
		}},
		{"a clock that was set back holds nothing for longer than the windows", []turn{
			{at: 3_600_000, report: Report{ID: "a", Limits: one, Waiting: []int64{1}}, granted: []int64{1}},
			{at: 3_600_001, report: Report{ID: "a", Limits: one, Waiting: []int64{2}, Done: []Done{{1, 0}}}},
			{at: 1_000, report: Report{ID: "a", Limits: one, Waiting: []int64{2}, Leaving: false}, wake: 2_000},
		}},
	} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			var state State
			for i, turn := range story.turns {
				decision := state.Step(turn.at, Standard, turn.report)
				if !slices.Equal(decision.Granted, turn.granted) {
					t.Fatalf("turn %d: granted %v, want %v", i, decision.Granted, turn.granted)
				}
				if turn.wake != 0 && decision.Wake != turn.wake {
					t.Fatalf("turn %d: wake at %d, want %d", i, decision.Wake, turn.wake)
				}
			}
		})
	}
}

func TestCoolDown(t *testing.T) {
	t.Parallel()
	limits := Limits{PerShort: 5, PerLong: 40}
	throttle := func(state *State, now, retryAfter Instant) Instant {
		state.CoolDown(now, Standard, retryAfter)
		return state.Use(now, Standard, "").Until
	}
	ticket := int64(0)
	grantAt := func(t *testing.T, state *State, now Instant, id string) bool {
		ticket++
		granted := state.Step(now, Standard, Report{ID: id, Limits: limits, Waiting: []int64{ticket}}).Granted
		return len(granted) == 1
	}

	var state State
	until := throttle(&state, 1_000, 0)
	if until != 6_000 {
		t.Fatalf("the first pause ends at %d, want 6000", until)
	}
	if again := throttle(&state, 2_000, 0); again != until {
		t.Fatalf("a reply from before the pause moved its end from %d to %d", until, again)
	}
	if until = throttle(&state, 2_000, 10_000); until != 12_000 {
		t.Fatalf("Retry-After of 10 s at 2 s ends the pause at %d, want 12000", until)
	}
	if grantAt(t, &state, until-1, "b") || !grantAt(t, &state, until, "b") {
		t.Fatal("another process must wait for the end of the pause, and no longer")
	}
	if grantAt(t, &state, until+1_000, "c") {
		t.Fatal("the second grant of a ramp came at once")
	}

	for pause := Instant(10_000); ; pause = min(2*pause, Standard.LongestPause) {
		now := until + 20_000
		for !grantAt(t, &state, now, "b") {
			now += 500
		}
		until = throttle(&state, now, 0)
		if until-now != pause {
			t.Fatalf("a pause of %s, want %s", (until - now).Duration(), pause.Duration())
		}
		if pause == Standard.LongestPause {
			break
		}
	}
	if longest := throttle(&state, until-1, Millis(24*time.Hour)); longest-(until-1) > Standard.LongestPause {
		t.Fatalf("a pause of %s", (longest - until).Duration())
	} else {
		until = longest
	}
	if next := throttle(&state, until+Standard.Ramp+1, 0); next-(until+Standard.Ramp+1) != Standard.LongestPause {
		t.Fatal("a reply with no grant since the pause says nothing about it")
	}
	until = state.Until
	calm := until + Standard.Ramp
	grantAt(t, &state, calm, "b")
	if next := throttle(&state, calm+1, 0); next-(calm+1) != Standard.FirstPause {
		t.Fatalf("after a quiet ramp the pause is %s", (next - calm).Duration())
	}
}

// TestRampGrowsBack counts what a saturated process gets after a cool-down.
func TestRampGrowsBack(t *testing.T) {
	t.Parallel()
	f := newFleet(t.Fatalf, 1)
	limits := Limits{PerShort: 5, PerLong: 40, Margin: 250}
	var state State
	state.CoolDown(f.now, Standard, 0)
	f.state, _ = json.Marshal(&state)
	f.join(&crew{id: "a", limits: limits, workers: 16, latency: 100})
	begin := f.now + Standard.FirstPause
	f.run(begin + 4*Standard.Long)
	for i, want := range []struct{ from, to Instant }{{1, 3}, {2, 6}, {5, 10}, {7, 12}} {
		quarter := Instant(i) * 15_000
		if n := Instant(between(f.arrived, begin+quarter, begin+quarter+15_000)); n < want.from || n > want.to {
			t.Errorf("%d requests in quarter %d of the ramp, want %d to %d", n, i+1, want.from, want.to)
		}
	}
	if n := between(f.arrived, begin+2*Standard.Long, begin+4*Standard.Long); n < 76 {
		t.Errorf("%d requests in the third and fourth minute, want all 80", n)
	}
}

// TestThreeProcesses is the case the limits are made for: 300 a minute and 20 a
// second, three processes with enough to do.
func TestThreeProcesses(t *testing.T) {
	t.Parallel()
	f := newFleet(t.Fatalf, 3)
	limits := Limits{PerShort: 20, PerLong: 300, Margin: 250}
	begin := f.now
	for _, id := range []string{"a", "b", "c"} {
		f.join(&crew{id: id, limits: limits, workers: 16, latency: 200, lag: 10})
	}
	f.run(begin + 4*Standard.Long)
	if n := most(f.arrived, Standard.Short+limits.Margin); n > limits.PerShort {
		t.Errorf("%d requests in a second", n)
	}
	if n := most(f.arrived, Standard.Long+limits.Margin); n > limits.PerLong {
		t.Errorf("%d requests in a minute", n)
	}
	used := between(f.arrived, begin, f.now)
	t.Logf("%d of %d slots used", used, 4*limits.PerLong)
	if used < 4*limits.PerLong*95/100 {
		t.Errorf("%d of %d slots used", used, 4*limits.PerLong)
	}
	for _, c := range f.crews {
		if share := len(c.grants); share < used*30/100 || share > used*37/100 {
			t.Errorf("%s got %d of %d", c.id, share, used)
		}
	}
	for quarter := Instant(1); quarter < 16; quarter++ {
		from := begin + quarter*15_000
		if n := between(f.arrived, from, from+15_000); n < 1 {
			t.Errorf("silence from second %d on", quarter*15)
		}
	}
}

func TestStateIsSmall(t *testing.T) {
	t.Parallel()
	f := newFleet(t.Fatalf, 4)
	limits := Limits{PerShort: 20, PerLong: 300, Margin: 250}
	for _, id := range []string{"a", "b", "c"} {
		f.join(&crew{id: id, limits: limits, workers: 16, latency: 200, lag: 10})
	}
	f.run(f.now + 2*Standard.Long)
	if len(f.state) > 5_000 {
		t.Errorf("the state has %d bytes", len(f.state))
	}
}
