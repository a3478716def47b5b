package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Status is how a check ended.
type Status string

// The statuses. A warning does not keep a run from its work.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Failed  Status = "failed"
	Skipped Status = "skipped"
)

// Result is one check: what was tried, what came of it, and what to do.
type Result struct {
	Name     string         `json:"name"` // area.check
	Status   Status         `json:"status"`
	Tried    string         `json:"tried"`
	Found    string         `json:"result"`
	Measured map[string]any `json:"measured"`
	Remedy   string         `json:"remedy"` // "" when there is nothing to do
	Seconds  float64        `json:"seconds"`
	// Err is why the check failed, for the exit code.
	Err error `json:"-"`
}

// Report holds the results of all checks, in their order.
type Report struct{ Checks []Result }

// Count is how many checks ended so.
func (r Report) Count(status Status) int {
	n := 0
	for _, result := range r.Checks {
		if result.Status == status {
			n++
		}
	}
	return n
}

// Err is nil when no check has failed. Else it wraps the reasons of all that have.
func (r Report) Err() error {
	failed := &failedChecks{of: len(r.Checks)}
	for _, result := range r.Checks {
		if result.Status == Failed {
			failed.reasons = append(failed.reasons, result.Err)
		}
	}
	if len(failed.reasons) == 0 {
		return nil
	}
	return failed
}

// ErrFailed says that checks have failed.
var ErrFailed = errors.New("checks failed")

type failedChecks struct {
	of      int
	reasons []error
}

// Error counts the failures.
func (f *failedChecks) Error() string {
	return fmt.Sprintf("%d of %d %s", len(f.reasons), f.of, ErrFailed)
}

// Unwrap gives ErrFailed and every reason.
func (f *failedChecks) Unwrap() []error { return append([]error{ErrFailed}, f.reasons...) }

// ErrMisfit says that the configuration does not fit what it names: one of the two
// has to change, and waiting does not help.
var ErrMisfit = errors.New("the configuration does not fit")

// check is a row of the table of checks.
type check struct {
	name  string
	tried string
	// remedies are all that the check can advise.
	remedies []string
	needs    []string      // checks it builds on
	within   time.Duration // bound of its time; 0 means half a minute
	run      func(e *examination, ctx context.Context) finding
}

// finding is what came of one check.
type finding struct {
	status   Status
	found    string
	measured map[string]any
	remedy   string
	err      error
}

func ok(format string, values ...any) finding {
	return finding{status: OK, found: fmt.Sprintf(format, values...)}
}

func skip(reason string) finding { return finding{status: Skipped, found: reason} }

func warn(remedy, format string, values ...any) finding {
	return finding{status: Warning, found: fmt.Sprintf(format, values...), remedy: remedy}
}

// misfit is a failure that goes away when the configuration, or what it names, is
// changed.
func misfit(remedy, format string, values ...any) finding {
	found := fmt.Sprintf(format, values...)
	return finding{status: Failed, found: found, remedy: remedy, err: fmt.Errorf("%w: %s", ErrMisfit, found)}
}

// broken is a failure of a service that does not do what a run relies on.
func broken(remedy, format string, values ...any) finding {
	found := fmt.Sprintf(format, values...)
	return finding{status: Failed, found: found, remedy: remedy, err: errors.New(found)}
}

// failed is a check that an error ended. The error says what kind of failure it is.
func failed(remedy string, err error) finding {
	return finding{status: Failed, found: err.Error(), remedy: remedy, err: err}
}

// unsure is a check that an error ended and on which no run depends.
func unsure(remedy string, err error) finding {
	return finding{status: Warning, found: err.Error(), remedy: remedy}
}

// with adds a measured value.
func (f finding) with(name string, value any) finding {
	if f.measured == nil {
		f.measured = make(map[string]any)
	}
	f.measured[name] = value
	return f
}
