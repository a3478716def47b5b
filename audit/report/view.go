package report

import (
	"html/template"
	"time"

	"vlens-archiver/store"
)

// view is a page with what follows from its figures.
type view struct{ Page }

// inSource is the users in this state whom the source still has.
func (v view) inSource(state store.State) int64 {
	return v.Users.States[state] - v.Users.LeftStates[state]
}

// Pending is the users in the source who wait for a first attempt.
func (v view) Pending() int64 { return v.inSource(store.StatePending) }

// Partial is the users in the source with some of their images, and Failed those
// with none; neither has the users whose failure was accepted.
func (v view) Partial() int64 {
	return v.inSource(store.StatePartial) - v.Users.AcceptedStates[store.StatePartial]
}

// Failed is described at Partial.
func (v view) Failed() int64 {
	return v.inSource(store.StateFailed) - v.Users.AcceptedStates[store.StateFailed]
}

// Accepted is the users in the source whose failure a person has accepted.
func (v view) Accepted() int64 {
	return v.Users.Accepted
}

// Archived is all users who are completely archived.
func (v view) Archived() int64 { return v.Users.States[store.StateArchived] }

// Nothing is the users of whom Vlens has nothing to archive.
func (v view) Nothing() int64 {
	return v.Users.States[store.StateNoImages] + v.Users.States[store.StateNotFound]
}

// Gone is the users who left the source before they could be archived.
func (v view) Gone() int64 {
	var gone int64
	for _, state := range []store.State{store.StatePending, store.StatePartial, store.StateFailed} {
		gone += v.Users.LeftStates[state]
	}
	return gone
}

// InSource is all users whom the source had when it was last read.
func (v view) InSource() int64 { return v.Users.Total - v.Users.Left }

// StatesInOrder is the states as the statement lists them: what is settled
// first, then what is open.
func (v view) StatesInOrder() []store.State {
	return []store.State{
		store.StateArchived, store.StateNoImages, store.StateNotFound,
		store.StatePending, store.StatePartial, store.StateFailed,
	}
}

// OutcomesInOrder is the outcomes as summaries show them.
func (v view) OutcomesInOrder() []store.Outcome { return store.Outcomes }

// Unhappy is the attempts of a run, or of all, that did not get every image.
func (v view) Unhappy(outcomes map[store.Outcome]int64) int64 {
	return outcomes[store.OutcomeFailed] + outcomes[store.OutcomePartial]
}

// Took is how long the run has lasted, in seconds.
func (v view) Took(run store.ReportRun) int64 {
	end := v.MadeAt
	if run.EndedAt != nil {
		end = *run.EndedAt
	}
	return int64(end.Sub(run.StartedAt).Seconds())
}

// Age is how long ago a time was when the report was made, in seconds.
func (v view) Age(at *time.Time) int64 { return int64(v.MadeAt.Sub(*at).Seconds()) }

// PerHour is the rate of n in an hour of the runs, rounded down.
func (v view) PerHour(n int64) int64 {
	if v.Work.Seconds == 0 {
		return 0
	}
	return n * 3600 / v.Work.Seconds
}

// HourLimit is what the configured quota allows in an hour.
func (v view) HourLimit() int64 { return 60 * int64(v.PerMinute) }

// AllRequests is the requests of all endpoints.
func (v view) AllRequests() int64 {
	var all int64
	for _, n := range v.Quota.Endpoints {
		all += n
	}
	return all
}

// LastPoint is the end of the period.
func (v view) LastPoint() store.ReportPoint { return v.Points[len(v.Points)-1] }

// Step is the length of a step in words.
func (v view) Step() template.HTML {
	switch v.StepSeconds {
	case 60:
		return "minute"
	case 3600:
		return "hour"
	case 86400:
		return "day"
	case 7 * 86400:
		return "week"
	case 28 * 86400:
		return "four weeks"
	}
	return lasting("step_seconds", v.StepSeconds)
}

// StepLabel names a step by its begin.
func (v view) StepLabel(p store.ReportPoint) string {
	switch {
	case v.StepSeconds < 3600 && v.Until.Sub(v.Since) < 20*time.Hour:
		return p.From.Format("15:04")
	case v.StepSeconds < 86400:
		return p.From.Format("2 Jan 15:04")
	case v.StepSeconds > 7*86400:
		return p.From.Format("2 Jan 2006")
	}
	return p.From.Format("2 Jan")
}
