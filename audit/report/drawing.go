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
