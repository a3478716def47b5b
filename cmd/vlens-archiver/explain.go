package main

import (
	"errors"
	"fmt"
	"io/fs"

	"vlens-archiver/audit"
	"vlens-archiver/internal/config"
	"vlens-archiver/internal/doctor"
	"vlens-archiver/store"
	"vlens-archiver/vlens"
	"vlens-archiver/worker"
)

// usageError is a command line that cannot be understood.
type usageError struct {
	command string // as in "vlens-archiver run"
	problem string
}

// Error says what is wrong with the command line.
func (e *usageError) Error() string { return e.command + ": " + e.problem }

// explain is what a person reads about an error: what happened, and what to do
// next where the error does not say it itself.
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

// advice is what to do next about an error whose text leaves it open.
func advice(err error) string {
	vendor, isVendor := errors.AsType[*vlens.Error](err)
	switch {
	case errors.Is(err, doctor.ErrFailed):
		return "each check is listed with its remedy"
	case isVendor && vendor.Fault == vlens.FaultForbidden && vendor.Endpoint == vlens.EndpointList:
		return `the Vlens user has no "Requests" permission: ask the tenant's administrator to grant it to vlens.username`
	case isVendor && refusedByVendor(err):
		return "check vlens.api_key, vlens.tenancy_name, vlens.username and vlens.password"
	case errors.Is(err, config.ErrInvalid) && errors.Is(err, fs.ErrNotExist):
		return "name the file with --config FILE; config.example.yaml shows every key"
	case errors.Is(err, store.ErrForeignArchive):
		return "restore the key it names, or use another archive.prefix and an empty ledger for another archive"
	case errors.Is(err, store.ErrNotEmpty):
		return "rebuild fills an empty ledger only: name another database in ledger.database_url and run `vlens-archiver migrate up` there"
	case errors.Is(err, audit.ErrDamaged):
		return "keep the bucket and the ledger as they are and find out who changed what; versions of an object are all still there in a bucket with versioning"
	case errors.Is(err, errUsersFailed):
		return "`vlens-archiver status` shows the failures by class and what to do about each"
	case isA[abandonedBy](err):
		return "run it again: it begins anew"
	case errors.Is(err, errWorkLeft), errors.Is(err, worker.ErrSignal):
		return "run again: it goes on where this one stopped"
	}
	return ""
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
