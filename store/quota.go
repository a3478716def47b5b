package store

import "time"

// QuotaUse is how much of the shared quota is taken at one moment, by all
// processes together.
type QuotaUse struct {
	At time.Time // by the database's clock
	// PerSecond and PerMinute are the limits in force, the strictest of all live
	// processes; 0 is no limit. SecondUsed and MinuteUsed are the slots taken.
	PerSecond, SecondUsed int
	PerMinute, MinuteUsed int
	// RunPerMinute and RunUsed are the same for the run asked about; 0 when it
	// has no limit of its own.
	RunPerMinute, RunUsed int
	InFlight              int // requests without a response
	Waiting               int // requests that wait for a slot
	Processes             int
	CoolUntil             time.Time // nothing is granted before; zero when no cool-down is on
}
