package app

import (
	"vlens-archiver/internal/listen"
	"vlens-archiver/internal/notify"
	"vlens-archiver/internal/telemetry"
	"vlens-archiver/worker"
)

// StopTime is the longest that a process takes from the first signal to its end, when
// everything around it is away. The terminationGracePeriodSeconds of a pod must be
// above it.
const StopTime = grace + worker.ClosingTime + worker.LeavingTime + // users in flight, the run
	2*closeTimeout + closeTimeout + // the quota's slots, the databases
	telemetry.EndTimeout + notify.EndTimeout + listen.CloseTimeout
