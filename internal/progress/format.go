package progress

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Count is a whole number with a comma between thousands.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var grouped strings.Builder
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			grouped.WriteByte(',')
		}
		grouped.WriteRune(digit)
	}
	return sign + grouped.String()
}

// Bytes is a number of bytes in the largest binary unit of which there is at
// least one: 1.2 GiB.
func Bytes(n int64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%d B", n)
	}
	value := float64(n)
	unit := ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		// What would be shown as 1024.0 belongs to the next unit.
		if value /= step; value < step-0.05 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// Span is a duration in its two largest units, from days to seconds: 3d4h.
func Span(d time.Duration) string {
	if d < 0 {
		return "-" + Span(-d)
	}
	units := []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	for i, u := range units {
		if i == len(units)-1 {
			break
		}
		next := units[i+1]
		rounded := d.Round(next.length)
		if rounded < u.length {
			continue
		}
		large, small := rounded/u.length, rounded%u.length/next.length
		if small == 0 {
			return fmt.Sprintf("%d%s", large, u.name)
		}
		return fmt.Sprintf("%d%s%d%s", large, u.name, small, next.name)
	}
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
