package store

import "time"

// Selection says which users a run may claim. The zero value is every user who
// is due. A backfill's selection is kept with the run, so that a process that
// joins it later has the same one.
type Selection struct {
	UserIDs     []string  `json:"-"` // kept in a table of its own
	Users       int       `json:"users,omitempty"`
	Failed      bool      `json:"failed,omitempty"`
	FailedClass Class     `json:"failed_class,omitempty"`
	Since       time.Time `json:"since,omitzero"` // verified_at at or after
	Until       time.Time `json:"until,omitzero"` // verified_at before
	Force       bool      `json:"force,omitempty"`
	PerMinute   int       `json:"per_minute,omitempty"` // requests a minute for the whole run; 0 = the quota
}

// Chosen reports whether the selection names its users, by id or by a filter.
// Such users are archived whether they are due or not; all others are claimed
// when they are due.
func (s Selection) Chosen() bool {
	return len(s.UserIDs) > 0 || s.Users > 0 || s.Failed || s.FailedClass != ClassNone ||
		!s.Since.IsZero() || !s.Until.IsZero() || s.Force
}

// Filtered reports whether a filter chooses the users, and not their ids.
func (s Selection) Filtered() bool {
	return s.Chosen() && len(s.UserIDs) == 0 && s.Users == 0
}
