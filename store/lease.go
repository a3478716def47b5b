package store

import "time"

// A lease on a user belongs to a process and is free once the process has ended
// or has been silent for TakeoverAfter, by the clock of the ledger.
const (
	HeartbeatEvery = 15 * time.Second
	TakeoverAfter  = 60 * time.Second
)
