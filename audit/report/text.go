package report

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Every number on the page is an element that names what it is and has its
// exact value, so that a reader's tool, and the tests, need not parse prose.

// figure is a count, with a comma between thousands.
func figure(name string, n int64) template.HTML {
	return data(name, strconv.FormatInt(n, 10), grouped(n))
}

// size is a number of bytes in a readable unit.
func size(name string, n int64) template.HTML {
	return data(name, strconv.FormatInt(n, 10), bytesText(n))
}

// lasting is a number of seconds in its two largest units.
func lasting(name string, seconds int64) template.HTML {
	return data(name, strconv.FormatInt(seconds, 10), spanText(time.Duration(seconds)*time.Second))
}

// share is part of whole in percent, rounded down: 100 % is said of all only.
func share(name string, part, whole int64) template.HTML {
	tenths := int64(0)
	if whole > 0 {
		tenths = 1000 * part / whole
	}
	text := fmt.Sprintf("%d.%d", tenths/10, tenths%10)
	return data(name, text, strings.TrimSuffix(text, ".0")+"\u202f%")
}

func data(name, value, text string) template.HTML {
	return template.HTML(fmt.Sprintf(`<data data-figure="%s" value="%s">%s</data>`, // all escaped
		template.HTMLEscapeString(name), template.HTMLEscapeString(value), template.HTMLEscapeString(text)))
}

// moment is a time to the minute, and day its date; all times of the page are UTC.
func moment(name string, at any) template.HTML { return timed(name, at, "2 Jan 2006 15:04") }

func day(name string, at any) template.HTML { return timed(name, at, "2 Jan 2006") }

func timed(name string, at any, layout string) template.HTML {
	t, ok := at.(time.Time)
	if pointer, is := at.(*time.Time); is && pointer != nil {
		t, ok = *pointer, true
	}
	if !ok || t.IsZero() {
		return "–"
	}
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time data-figure="%s" datetime="%s">%s</time>`, // all escaped
		template.HTMLEscapeString(name), t.Format(time.RFC3339Nano), t.Format(layout)))
}

// scopeText says what a verification looked at, by the names of what narrowed it.
func scopeText(narrowed []string) string {
	for _, scope := range []struct{ name, text string }{
		{"subject", "one user"}, {"run_id", "one run"}, {"sample_percent", "a sample"},
	} {
		if slices.Contains(narrowed, scope.name) {
			return scope.text
		}
	}
	return "everything"
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

var byteUnits = []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}

func bytesText(n int64) string {
	value, unit := float64(n), 0
	for value >= 1023.95 && unit < len(byteUnits)-1 {
		value /= 1024
		unit++
	}
	text := strconv.FormatFloat(value, 'f', 1, 64)
	return strings.TrimSuffix(text, ".0") + "\u00a0" + byteUnits[unit]
}

func spanText(d time.Duration) string {
	part := func(n time.Duration, name string) string { return fmt.Sprintf("%d\u00a0%s", n, name) }
	join := func(large, small time.Duration, largeName, smallName string) string {
		if small == 0 {
			return part(large, largeName)
		}
		return part(large, largeName) + "\u00a0" + part(small, smallName)
	}
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return join(d/day, d%day/time.Hour, "d", "h")
	case d >= time.Hour:
		return join(d/time.Hour, d%time.Hour/time.Minute, "h", "min")
	case d >= time.Minute:
		return join(d/time.Minute, d%time.Minute/time.Second, "min", "s")
	}
	return part(d/time.Second, "s")
}
