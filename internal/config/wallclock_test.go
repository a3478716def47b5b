package config_test

import (
	"slices"
	"testing"
	"time"

	"vlens-archiver/internal/config"
)

// In 2026 Cairo's clocks jump from 24 April 00:00 (22:00 UTC the day before) to
// 01:00, and from 30 October 00:00 (21:00 UTC the day before) back to 23:00.
func TestTicksWhenTheClockIsChanged(t *testing.T) {
	t.Parallel()
	spring := time.Date(2026, 4, 22, 12, 0, 0, 0, time.UTC)
	autumn := time.Date(2026, 10, 28, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		cron  string
		after time.Time
		ticks []string // day and time in UTC
	}{
		"late evening, spring":      {"0 22 * * *", spring, []string{"22 20:00", "23 20:00", "24 19:00", "25 19:00"}},
		"late evening, autumn":      {"0 22 * * *", autumn, []string{"28 19:00", "29 19:00", "30 20:00", "31 20:00"}},
		"midnight that is not":      {"0 0 * * *", spring, []string{"22 22:00", "23 22:00", "24 21:00", "25 21:00"}},
		"@daily is midnight":        {"@daily", spring, []string{"22 22:00", "23 22:00", "24 21:00", "25 21:00"}},
		"in the hour that is not":   {"30 0 * * *", spring, []string{"22 22:30", "23 22:00", "24 21:30", "25 21:30"}},
		"around it, in order":       {"45 0,1 * * *", spring, []string{"22 22:45", "22 23:45", "23 22:00", "23 22:45"}},
		"in the hour that is twice": {"30 23 * * *", autumn, []string{"28 20:30", "29 21:30", "30 21:30", "31 21:30"}},
		"before and after it":       {"0 22,23,0 * * *", autumn.AddDate(0, 0, 1), []string{"29 19:00", "29 21:00", "29 22:00", "30 20:00"}},
		"every hour, spring":        {"0 * * * *", spring.Add(32*time.Hour + time.Minute), []string{"23 21:00", "23 22:00", "23 23:00", "24 00:00"}},
		"every hour, autumn":        {"0 * * * *", autumn.Add(31*time.Hour + time.Minute), []string{"29 20:00", "29 21:00", "29 22:00", "29 23:00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ticks, err := config.Schedule{Cron: c.cron, Timezone: "Africa/Cairo"}.Ticks()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			at := c.after
			for range c.ticks {
				at = ticks.Next(at)
				got = append(got, at.UTC().Format("02 15:04"))
			}
			if !slices.Equal(got, c.ticks) {
				t.Errorf("ticks %q, want %q", got, c.ticks)
			}
		})
	}
}

// From wherever one looks, the next tick is the same one.
func TestTicksDoNotDependOnWhereOneLooksFrom(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Africa/Cairo", "Europe/Dublin", "Australia/Lord_Howe", "America/Santiago", "UTC"} {
		ticks, err := config.Schedule{Cron: "20 0,2,23 * * *", Timezone: zone}.Ticks()
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for at.Year() == 2026 {
			next := ticks.Next(at)
			if !next.After(at) {
				t.Fatalf("%s: after %s comes %s", zone, at, next)
			}
			if before := ticks.Next(next.Add(-time.Nanosecond)); !before.Equal(next) {
				t.Fatalf("%s: %s, or %s when one looks from just before", zone, next, before)
			}
			if gap := next.Sub(at); gap > 24*time.Hour {
				t.Fatalf("%s: nothing for %s before %s", zone, gap, next)
			}
			at = next
		}
	}
}
