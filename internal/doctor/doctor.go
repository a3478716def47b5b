// Package doctor examines everything that a run depends on, before a run does:
// configuration, databases, user query, vendor and bucket. Each check says what
// was tried, what came of it and what to do about it. What a service claims is
// not believed where it can be tried.
//
// Nothing personal is in a result: rows are counted, never shown.
package doctor

import (
	"context"
	"maps"
	"time"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/config"
)

// Setup says what to examine, and as whom.
type Setup struct {
	LoadConfig func() (*config.Config, error)
	Options    app.Options
	// Now is this machine's clock; nil means time.Now.
	Now func() time.Time
}

// examineTimeout bounds a whole examination; checks that are left then are
// skipped.
const examineTimeout = 5 * time.Minute

// Examine runs all checks in order and shows each result as soon as it is there.
// A check is skipped when one it builds on has failed; everything else is tried.
// The objects it puts into the bucket are deleted again where the role may.
// When ctx ends, the report ends with the last check that was over before.
func Examine(ctx context.Context, setup Setup, show func(Result)) Report {
	if setup.Now == nil {
		setup.Now = time.Now
	}
	e := &examination{setup: setup, statuses: make(map[string]Status)}
	defer e.close(ctx)

	bounded, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	var report Report
	for _, check := range checks() {
		result := e.try(bounded, check)
		if ctx.Err() != nil {
			break
		}
		e.statuses[check.name] = result.Status
		report.Checks = append(report.Checks, result)
		// Without a configuration everything else is skipped; one line says that.
		if e.cfg != nil || result.Status != Skipped {
			show(result)
		}
	}
	return report
}

// try runs one check, or skips it when it cannot succeed.
func (e *examination) try(ctx context.Context, c check) Result {
	result := Result{Name: c.name, Tried: c.tried, Measured: map[string]any{}}
	var f finding
	if reason := e.skipReason(ctx, c); reason != "" {
		f = skip(reason)
	} else {
		within := c.within
		if within == 0 {
			within = 30 * time.Second
		}
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		began := time.Now()
		f = c.run(e, ctx)
		result.Seconds = time.Since(began).Seconds()
	}
	result.Status, result.Found, result.Remedy, result.Err = f.status, f.found, f.remedy, f.err
	maps.Copy(result.Measured, f.measured)
	return result
}

// skipReason says why a check is skipped; "" when it can be tried.
func (e *examination) skipReason(ctx context.Context, c check) string {
	if ctx.Err() != nil {
		return "no time is left"
	}
	for _, name := range c.needs {
		if status := e.statuses[name]; status == Failed || status == Skipped {
			return name + " did not succeed"
		}
	}
	return ""
}
