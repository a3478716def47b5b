package config

import (
	"math/bits"
	"time"

	"github.com/robfig/cron/v3"
)

// newTicks are the ticks of cron fields in a time zone, where once a year an
// hour does not exist and another one comes twice (in Egypt the hour after
// midnight and the one before it).
//
// cron/v3 alone would leave out a tick in the hour that does not exist, which
// for a daily run is a night without one, and double a tick in the other. So the
// fields are read on the wall clock: each reading ticks once. A reading that the
// clock jumps over ticks at the jump, one that comes twice ticks the second time.
// Only a schedule of every hour follows the real time.
func newTicks(fields *cron.SpecSchedule, location *time.Location) cron.Schedule {
	const hours = 1<<24 - 1
	if bits.OnesCount64(fields.Hour&hours) == 24 {
		everyHour := *fields
		everyHour.Location = location
		return &everyHour
	}
	readings := *fields
	readings.Location = time.UTC // a zone without jumps stands for the wall clock
	return wallClock{&readings, location}
}

type wallClock struct {
	readings cron.Schedule
	location *time.Location
}

// Next is the first tick after the time; the zero time when there is none.
func (w wallClock) Next(after time.Time) time.Time {
	// A day back is more than any clock was ever set.
	reading := wall(after.In(w.location)).AddDate(0, 0, -1)
	for {
		if reading = w.readings.Next(reading); reading.IsZero() {
			return reading
		}
		if tick := w.instant(reading); tick.After(after) {
			return tick
		}
	}
}

// instant is when the clock shows the reading, or jumps over it.
func (w wallClock) instant(reading time.Time) time.Time {
	at := onDate(reading, w.location)
	begin, end := at.ZoneBounds()
	switch shown := wall(at); {
	case shown.After(reading):
		return begin
	case shown.Before(reading):
		return end
	}
	// Of two instants with one reading, time.Date gives either.
	if !end.IsZero() {
		_, before := at.Zone()
		_, then := end.Zone()
		if again := at.Add(time.Duration(before-then) * time.Second); then < before && !again.Before(end) {
			return again
		}
	}
	return at
}

// wall is what a clock on the wall shows, as a time in UTC.
func wall(t time.Time) time.Time { return onDate(t, time.UTC) }

func onDate(t time.Time, location *time.Location) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), location)
}
