package store

import "time"

// Figures are what those who operate an archive watch, all of one moment.
type Figures struct {
	At    time.Time // by the clock of the ledger
	Users map[State]int64
	// UsersLeft are those of them who are no longer in the source.
	UsersLeft int64
	// UsersUnlisted are those whom Vlens no longer lists, though something is stored.
	UsersUnlisted int64
	// UsersAccepted are the users who are failed or partial, which a person has
	// accepted. They are not in Failures.
	UsersAccepted int64
	// Failures are the other users of whose newest verification something is missing,
	// by their last class.
	Failures map[Class]int64
	// OldestUnarchivedAt is, by state, when the user who waits longest was
	// verified, or first seen: among those who are pending, partial or failed, and
	// not for a settled failure, for which nobody waits. A state in which nobody
	// waits is not in it.
	OldestUnarchivedAt map[State]time.Time
	// LastSuccessAt is when a run last came to its end with all users of the
	// source known: it is closed, it is no backfill, and no users were held back
	// from being marked as left. Zero when none did. Users may have failed in it.
	LastSuccessAt time.Time
	// RunsUnclosed are runs that nobody works on any more and that are not closed.
	// The next process that starts closes them, if it can.
	RunsUnclosed int64
	Verified     VerifiedFigures
}

// VerifiedFigures are what verifications found and no later one disproved: one
// of everything that looked as deep, or deeper.
type VerifiedFigures struct {
	LastAt   time.Time // when one last ended; zero when none did
	Damaged  int64     // objects and records, as the worst of them says
	Findings map[string]int64
}
