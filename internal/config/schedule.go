package config

import (
	"errors"
	"strings"
	"time"
	_ "time/tzdata" // container images often carry no time zone database

	"github.com/robfig/cron/v3"
)

// Schedule is when the schedule command starts a run.
type Schedule struct {
	// Cron has five fields, or is a descriptor such as @daily.
	// Default "0 22 * * *".
	Cron string `yaml:"cron"`
	// Timezone is an IANA name. Default Africa/Cairo.
	Timezone string `yaml:"timezone"`
}

var (
	errCron     = errors.New(`expected five cron fields such as "0 22 * * *", or @hourly, @daily, @weekly, @monthly, @yearly`)
	errNever    = errors.New("names a date that does not exist, so it would never start a run")
	errTimezone = errors.New("expected an IANA time zone such as Africa/Cairo")
)

// Ticks gives the times at which runs start, in the configured time zone.
func (s Schedule) Ticks() (cron.Schedule, error) {
	location, err := s.location()
	if err != nil {
		return nil, err
	}
	// @every counts from the start of a process, so replicas would not agree; a
	// zone has a key of its own, and cron/v3 panics at one without fields.
	if strings.Contains(s.Cron, "@every") || strings.Contains(s.Cron, "TZ=") {
		return nil, errCron
	}
	parsed, err := cron.ParseStandard(s.Cron)
	fields, ok := parsed.(*cron.SpecSchedule)
	if err != nil || !ok {
		return nil, errCron
	}
	ticks := newTicks(fields, location)
	if ticks.Next(time.Unix(0, 0)).IsZero() {
		return nil, errNever
	}
	return ticks, nil
}

// location refuses "Local", which depends on the machine.
func (s Schedule) location() (*time.Location, error) {
	if s.Timezone == "" || s.Timezone == "Local" {
		return nil, errTimezone
	}
	location, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return nil, errTimezone
	}
	return location, nil
}

func (c checker) schedule(s Schedule) {
	if _, err := s.location(); err != nil {
		c.found.add("schedule.timezone", err.Error())
		return
	}
	if _, err := s.Ticks(); err != nil {
		c.found.add("schedule.cron", err.Error())
	}
}
