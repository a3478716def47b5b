package report

import (
	"fmt"

	"vlens-archiver/store"
)

// CoverageChart is all users and the archived ones over time.
func (v view) CoverageChart() chart {
	c, top := v.overTime("Users known and users archived", func(p store.ReportPoint) int64 { return p.Users }, grouped, 10)
	c.Line = v.path(top, func(p store.ReportPoint) int64 { return p.Users })
	c.fill(v.path(top, func(p store.ReportPoint) int64 { return p.Archived }))
	return c
}

// StorageChart is the bytes stored over time.
func (v view) StorageChart() chart {
	stored := func(p store.ReportPoint) int64 { return p.Bytes }
	c, top := v.overTime("Bytes stored", stored, bytesText, 2)
	c.fill(v.path(top, stored))
	return c
}

// ThroughputChart is the attempts that ended in each step.
func (v view) ThroughputChart() chart {
	attempts := func(p store.ReportPoint) int64 { return p.Attempts }
	c, top := v.overTime("Users finished in each step", attempts, grouped, 10)
	values := make([]bar, len(v.Points))
	for n, p := range v.Points {
		values[n] = bar{Name: fmt.Sprintf("bar.%d.attempts", n), Value: p.Attempts, Label: v.StepLabel(p)}
	}
	c.bars(values, top)
	return c
}

// HoursChart is the requests by hour of the day.
func (v view) HoursChart() chart {
	values := make([]bar, len(v.Quota.Hours))
	var highest int64
	for hour, n := range v.Quota.Hours {
		values[hour] = bar{Name: fmt.Sprintf("hours.%d", hour), Value: n, Label: fmt.Sprintf("%02d:00", hour)}
		highest = max(highest, n)
	}
	top := ceiling(highest, 10)
	c := frame("Requests by hour of the day, UTC", top, grouped)
	c.bars(values, top)
	for _, hour := range []int{0, 6, 12, 18} {
		c.Ticks = append(c.Ticks, tick{percent(float64(hour) / 24), "start", fmt.Sprintf("%02d:00", hour)})
	}
	c.Ticks = append(c.Ticks, tick{"100%", "end", "24:00"})
	return c
}

// overTime is an empty chart over the points, and the value at its top.
func (v view) overTime(title string, value func(store.ReportPoint) int64, text func(int64) string, base float64) (chart, int64) {
	var highest int64
	for _, p := range v.Points {
		highest = max(highest, value(p))
	}
	top := ceiling(highest, base)
	c := frame(title, top, text)
	last := len(v.Points) - 1
	c.Ticks = append(c.Ticks, tick{"0%", "start", v.StepLabel(v.Points[0])})
	if last >= 4 {
		middle := last / 2
		c.Ticks = append(c.Ticks, tick{percent((float64(middle) + 0.5) / float64(last+1)), "middle", v.StepLabel(v.Points[middle])})
	}
	if last > 0 {
		c.Ticks = append(c.Ticks, tick{"100%", "end", v.StepLabel(v.Points[last])})
	}
	return c, top
}

// Composition is a bar of all users, state by state.
func (v view) Composition() []segment {
	var segments []segment
	var before int64
	for _, state := range v.StatesInOrder() {
		n := v.Users.States[state]
		if n == 0 {
			continue
		}
		whole := float64(v.Users.Total)
		segments = append(segments, segment{
			X: percent(float64(before) / whole), Width: percent(float64(n) / whole), Look: stateWords[state].Look,
		})
		before += n
	}
	return segments
}

type segment struct{ X, Width, Look string }

// Length is the width of an outcome's bar.
func (v view) Length(n int64) string {
	var longest int64 = 1
	for _, m := range v.Work.Outcomes {
		longest = max(longest, m)
	}
	return percent(float64(n) / float64(longest))
}
