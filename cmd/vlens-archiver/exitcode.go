package main

import (
	"errors"
	"fmt"
	"io/fs"

	"vlens-archiver/audit"
	"vlens-archiver/audit/rebuild"
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

const goesOn = "run again: it goes on where this one stopped"

// endings is the one table from an error to the exit code and to what to do
// next. The first row that applies counts; an error in no row is a failure. The
// advice is "" where the text of the error has it.
var endings = []struct {
	applies func(error) bool
	code    int
	advice  string
}{
	{isAny(worker.ErrBreaker), exitFailed, ""}, // whatever the error that it quotes
	{isAny(store.ErrDenied), exitDenied, ""},
	{listingForbidden, exitDenied, `the Vlens user has no "Requests" permission: ask the tenant's administrator to grant it to vlens.username`},
	{accountRefused, exitDenied, "check vlens.api_key, vlens.tenancy_name, vlens.username and vlens.password"},

	{isA[*usageError], exitInvalid, ""},
	{configMissing, exitInvalid, "name the file with --config FILE; config.example.yaml shows every key"},
	{isAny(store.ErrForeignArchive), exitInvalid, "restore the setting it names, or use another archive.prefix and an empty ledger for another archive"},
	{isAny(store.ErrNotEmpty), exitInvalid, "rebuild fills an empty ledger only: name another database in ledger.database_url and run `vlens-archiver migrate up` there"},
	{isAny(
		config.ErrInvalid, store.ErrDatabaseURL, store.ErrSource, store.ErrSelection, store.ErrRunMismatch, store.ErrSchema,
		store.ErrBucketMissing, store.ErrRegion, doctor.ErrMisfit, listen.ErrAddress, rebuild.ErrNoVerifierKey,
	), exitInvalid, ""},

	{isAny(audit.ErrDamaged), exitDamaged, "keep the bucket and the ledger as they are and find out who changed what; versions of an object are all still there in a bucket with versioning"},
	{isAny(errUsersFailed), exitUsersFailed, "`vlens-archiver status` shows the failures by class and what to do about each"},
	{isAny(errFoundNobody), exitUsersFailed, "check vlens.tenancy_name, the phones and emails that source.users_sql returns, and whether it returns users who have verified"},
	{isAny(errWorkLeft), exitWorkLeft, goesOn},
	{isA[abandonedBy], exitSignal, "run it again: it begins anew"},
	{isA[stopSignal], exitSignal, goesOn},
	{isAny(store.ErrUnavailable), exitFailed, "run again once it answers; `vlens-archiver doctor` says what cannot be reached"},
}

func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	for _, ending := range endings {
		if !ending.applies(err) {
			continue
		}
		if stop, ok := errors.AsType[stopSignal](err); ok && ending.code == exitSignal {
			return exitSignal + int(stop.signal)
		}
		return ending.code
	}
	return exitFailed
}

// advice is what to do next about an error; "" when its text says so.
func advice(err error) string {
	if errors.Is(err, doctor.ErrFailed) { // its code is that of the checks that failed
		return "each check is listed with its remedy"
	}
	for _, ending := range endings {
		if ending.applies(err) {
			return ending.advice
		}
	}
	return ""
}

// explain is what a person reads about an error: what happened, and what to do
// next.
func explain(err error) string {
	if usage, ok := errors.AsType[*usageError](err); ok {
		return fmt.Sprintf("%s\n  see: %s --help\n", usage.Error(), usage.command)
	}
	text := programName + ": " + err.Error() + "\n"
	if next := advice(err); next != "" {
		text += "  next: " + next + "\n"
	}
	return text
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

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func listingForbidden(err error) bool {
	refusal, ok := errors.AsType[*vlens.Error](err)
	return ok && refusal.Fault == vlens.FaultForbidden && refusal.Endpoint == vlens.EndpointList
}

// accountRefused reports whether Vlens refuses the account itself. Being refused
// one image is no such thing.
func accountRefused(err error) bool {
	refusal, ok := errors.AsType[*vlens.Error](err)
	return ok && (refusal.Fault == vlens.FaultUnauthorized ||
		refusal.Fault == vlens.FaultForbidden && refusal.Endpoint != vlens.EndpointImage)
}

func configMissing(err error) bool {
	return errors.Is(err, config.ErrInvalid) && errors.Is(err, fs.ErrNotExist)
}
