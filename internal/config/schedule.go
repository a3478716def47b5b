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
	if err := s.checkTimezone(); err != nil {
		return nil, err
	}
	// @every counts from the start of a process, so replicas would not agree.
	if strings.Contains(s.Cron, "@every") {
		return nil, errCron
	}
	ticks, err := cron.ParseStandard("CRON_TZ=" + s.Timezone + " " + s.Cron)
	if err != nil {
		return nil, errCron
	}
	if ticks.Next(time.Unix(0, 0)).IsZero() {
		return nil, errNever
	}
	return ticks, nil
}

// checkTimezone refuses "Local", which depends on the machine.
func (s Schedule) checkTimezone() error {
	if s.Timezone == "" || s.Timezone == "Local" {
		return errTimezone
	}
	if _, err := time.LoadLocation(s.Timezone); err != nil {
		return errTimezone
	}
	return nil
}
