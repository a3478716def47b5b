package report

import (
	"fmt"
	"math"
	"strings"

	"vlens-archiver/store"
)

// A chart is drawn in a width of 100 % and a fixed height: marks follow the
// page, text keeps its size on a phone and on paper.
const (
	plotTop    = 20  // pixels above the plot, for the topmost label
	plotHeight = 140 // pixels
)

// chart is one drawing. Paths are in a square of 1000 units that the page
// stretches over the plot.
type chart struct {
	Title  string // for those who do not see it
	Grid   []gridLine
	Ticks  []tick
	Area   string // path of the filled series
	Edge   string // path of its upper edge
	Line   string // path of a second series
	Bars   []bar
	Peak   *bar // the highest, which the text above names
	Bottom int  // pixels
}

type gridLine struct {
	Y     int // pixels
	Label string
}

type tick struct {
	X      string // percent
	Anchor string
	Label  string
}

type bar struct {
	Name   string // of the figure
	Value  int64
	Label  string
	X      string // percent
	Width  string // percent
	Y      int    // pixels
	Height int    // pixels
}

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

func frame(title string, top int64, text func(int64) string) chart {
	return chart{
		Title: title,
		Grid: []gridLine{
			{plotTop, text(top)},
			{plotTop + plotHeight/2, text(top / 2)},
		},
		Bottom: plotTop + plotHeight,
	}
}

// bars draws a bar for each value and marks the highest.
func (c *chart) bars(values []bar, top int64) {
	const gap = 0.25 // of a bar's place
	place := 1 / float64(len(values))
	for n, b := range values {
		b.Height = int(math.Round(plotHeight * float64(b.Value) / float64(top)))
		if b.Value > 0 {
			b.Height = max(b.Height, 1)
		}
		b.Y = plotTop + plotHeight - b.Height
		b.X = percent(place * (float64(n) + gap/2))
		b.Width = percent(place * (1 - gap))
		c.Bars = append(c.Bars, b)
		if b.Value > 0 && (c.Peak == nil || b.Value > c.Peak.Value) {
			c.Peak = &b
		}
	}
}

// path is the course of a series, from edge to edge.
func (v view) path(top int64, value func(store.ReportPoint) int64) string {
	y := func(p store.ReportPoint) float64 { return 1000 * (1 - float64(value(p))/float64(top)) }
	var d strings.Builder
	fmt.Fprintf(&d, "M0 %.1f", y(v.Points[0]))
	for n, p := range v.Points {
		fmt.Fprintf(&d, "L%.1f %.1f", 1000*(float64(n)+0.5)/float64(len(v.Points)), y(p))
	}
	fmt.Fprintf(&d, "L1000 %.1f", y(v.LastPoint()))
	return d.String()
}

// fill fills the ground below a series.
func (c *chart) fill(edge string) { c.Edge, c.Area = edge, edge+"L1000 1000L0 1000Z" }

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

func percent(part float64) string { return fmt.Sprintf("%.2f%%", 100*part) }

// ceiling is the smallest round number that is not below n, an even one. Counts
// are round in tens, bytes in the binary units.
func ceiling(n int64, base float64) int64 {
	steps := []float64{2, 4, 6, 8, 10}
	unit := 1.0
	if base == 2 {
		steps = []float64{2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}
	}
	for ; unit < math.MaxInt64/1024; unit *= steps[len(steps)-1] {
		for _, step := range steps {
			if top := int64(step * unit); top >= n {
				return top
			}
		}
	}
	return n
}
