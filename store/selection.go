package store

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
