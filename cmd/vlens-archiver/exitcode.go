package main

import (
	"errors"
	"fmt"

	"vlens-archiver/audit"
	"vlens-archiver/internal/config"
	"vlens-archiver/internal/doctor"
	"vlens-archiver/internal/listen"
	"vlens-archiver/store"
	"vlens-archiver/vlens"
	"vlens-archiver/worker"
)

// The exit codes. 2 is left to the Go runtime, which ends a panic with it.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsersFailed = 3
	exitInvalid     = 4
	exitDenied      = 5
	exitWorkLeft    = 6
	exitDamaged     = 10
	exitSignal      = 128 // plus the signal's number: 130 SIGINT, 143 SIGTERM
)

// exitCodes is the one table from an error to the exit code; the first row that
// applies counts. Every error that is in no row is a failure.
var exitCodes = []struct {
	code    int
	applies func(error) bool
}{
	{exitDenied, isAny(store.ErrDenied)},
	{exitDenied, refusedByVendor},
	{exitInvalid, isA[*usageError]},
	{exitInvalid, isAny(
		config.ErrInvalid, store.ErrDatabaseURL, store.ErrSource, store.ErrForeignArchive, store.ErrSelection,
		store.ErrRunMismatch, store.ErrSchema, store.ErrBucketMissing, store.ErrRegion,
		doctor.ErrMisfit, listen.ErrAddress, store.ErrNotEmpty, audit.ErrNoVerifierKey,
	)},
	{exitDamaged, isAny(audit.ErrDamaged)},
	{exitUsersFailed, isAny(errUsersFailed)},
	{exitWorkLeft, isAny(errWorkLeft)},
}

func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	for _, row := range exitCodes {
		if row.applies(err) {
			return row.code
		}
	}
	if stop, ok := errors.AsType[stopSignal](err); ok {
		return exitSignal + int(stop.signal)
	}
	return exitFailed
}

// What a run that was done without a fault may still have to say.
var (
	errUsersFailed = errors.New("users failed or are partial")
	errWorkLeft    = errors.New("work is left")
)

// verdict is what the run of a process comes to: its failure, else a stop by
// signal, else users without all their images, else work left, if that is asked
// for. Users who failed are told by the process that closed the run, once.
func verdict(report worker.Report, failure error, strict bool) error {
	outcomes := report.Totals.Outcomes
	unhappy := outcomes[store.OutcomeFailed] + outcomes[store.OutcomePartial]
	switch {
	case failure != nil:
		return failure
	case errors.Is(report.Stopped, worker.ErrSignal):
		return report.Stopped
	case report.Closed && unhappy > 0:
		return fmt.Errorf("run %q: %d %w", report.Totals.Run.ID, unhappy, errUsersFailed)
	case strict && report.WorkLeft && !report.AlreadyComplete:
		return fmt.Errorf("run %q: %w: %d users are still due", report.Totals.Run.ID, errWorkLeft, report.Totals.DueLeft)
	}
	return nil
}

func isAny(sentinels ...error) func(error) bool {
	return func(err error) bool {
		for _, sentinel := range sentinels {
			if errors.Is(err, sentinel) {
				return true
			}
		}
		return false
	}
}

// refusedByVendor reports whether Vlens refuses the account itself: at login or
// for any request, or the right to list.
func refusedByVendor(err error) bool {
	refusal, ok := errors.AsType[*vlens.Error](err)
	if !ok {
		return false
	}
	return refusal.Fault == vlens.FaultUnauthorized ||
		refusal.Fault == vlens.FaultForbidden && refusal.Endpoint != vlens.EndpointImage
}
