package store_test

import (
	"testing"

	"vlens-archiver/store"
)

const (
	older = "6f1c1f9e-0000-4000-8000-000000000001"
	newer = "6f1c1f9e-0000-4000-8000-000000000002"
)

func TestStanding(t *testing.T) {
	t.Parallel()
	archived := store.Task{State: store.StateArchived, NewestTransaction: older, HasImages: true, DueReason: store.DueRecheck}
	partial := store.Task{State: store.StatePartial, LastClass: store.ClassGone, Settled: true, NewestTransaction: older, HasImages: true, Attempts: 2, DueReason: store.DueRetry}
	timedOut := store.Task{State: store.StateFailed, LastClass: store.ClassTimeout, NewestTransaction: older, Attempts: 2, DueReason: store.DueRetry}
	neverListed := store.Task{State: store.StatePending, DueReason: store.DueNew}
	unlisted := archived
	unlisted.Unlisted, unlisted.Settled, unlisted.Attempts = true, true, 3

	for _, c := range []struct {
		name   string
		task   store.Task
		result store.Result
		want   store.Standing
	}{
		{
			"first time, all stored", neverListed,
			store.Result{Outcome: store.OutcomeArchived, Transaction: older, Verification: store.StateArchived},
			store.Standing{State: store.StateArchived, Newest: older, Complete: true, DueReason: store.DueRecheck},
		},
		{
			"first time, some stored", neverListed,
			store.Result{Outcome: store.OutcomePartial, Class: store.ClassTimeout, Transaction: older, Verification: store.StatePartial},
			store.Standing{State: store.StatePartial, Class: store.ClassTimeout, Newest: older, Attempts: 1, DueReason: store.DueRetry},
		},
		{
			"first time, nothing stored", neverListed,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassTimeout, Transaction: older, Verification: store.StateFailed},
			store.Standing{State: store.StateFailed, Class: store.ClassTimeout, Newest: older, Attempts: 1, DueReason: store.DueRetry},
		},
		{
			"first time, not answered", neverListed,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassTimeout},
			store.Standing{State: store.StateFailed, Class: store.ClassTimeout, Attempts: 1, DueReason: store.DueRetry},
		},
		{
			"first time, no images", neverListed,
			store.Result{Outcome: store.OutcomeNoImages},
			store.Standing{State: store.StateNoImages, Settled: true, Attempts: 1, DueReason: store.DueRetry},
		},
		{
			"first time, not found", neverListed,
			store.Result{Outcome: store.OutcomeNotFound},
			store.Standing{State: store.StateNotFound, Settled: true, Attempts: 1, DueReason: store.DueRetry},
		},

		{
			"rechecked without news", archived,
			store.Result{Outcome: store.OutcomeUnchanged, Transaction: older, Verification: store.StateArchived},
			store.Standing{State: store.StateArchived, Newest: older, Complete: true, DueReason: store.DueRecheck},
		},
		{
			"recheck not answered", archived,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassNetwork},
			store.Standing{State: store.StateArchived, Class: store.ClassNetwork, Newest: older, Attempts: 1, DueReason: store.DueRetry},
		},
		{
			"row without identifiers now", archived,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassNoIdentifier},
			store.Standing{State: store.StateArchived, Class: store.ClassNoIdentifier, Settled: true, Newest: older, Attempts: 1, DueReason: store.DueRetry},
		},
		{
			"verified again, all stored", archived,
			store.Result{Outcome: store.OutcomeArchived, Transaction: newer, Verification: store.StateArchived},
			store.Standing{State: store.StateArchived, Newest: newer, Complete: true, DueReason: store.DueRecheck},
		},
		{
			"verified again, some stored", archived,
			store.Result{Outcome: store.OutcomePartial, Class: store.ClassGone, Transaction: newer, Verification: store.StatePartial},
			store.Standing{State: store.StatePartial, Class: store.ClassGone, Settled: true, Newest: newer, Attempts: 1, DueReason: store.DueRetry},
		},
		{
			"verified again, nothing stored", archived,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassGone, Transaction: newer, Verification: store.StateFailed},
			store.Standing{State: store.StateFailed, Class: store.ClassGone, Settled: true, Newest: newer, Attempts: 1, DueReason: store.DueRetry},
		},
		{
			"fetched again in vain", archived,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassTimeout, Transaction: older, Verification: store.StateArchived},
			store.Standing{State: store.StateArchived, Class: store.ClassTimeout, Newest: older, Complete: true, Attempts: 1, DueReason: store.DueRetry},
		},
		{
			"no longer listed", archived,
			store.Result{Outcome: store.OutcomeNotFound},
			store.Standing{State: store.StateArchived, Settled: true, Newest: older, Unlisted: true, Attempts: 1, DueReason: store.DueRetry},
		},
		{
			"still not listed", unlisted,
			store.Result{Outcome: store.OutcomeNoImages},
			store.Standing{State: store.StateArchived, Settled: true, Newest: older, Unlisted: true, Attempts: 4, DueReason: store.DueRetry},
		},
		{
			"not answered since", unlisted,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassTimeout},
			store.Standing{State: store.StateArchived, Class: store.ClassTimeout, Newest: older, Unlisted: true, Attempts: 4, DueReason: store.DueRetry},
		},
		{
			"listed again", unlisted,
			store.Result{Outcome: store.OutcomeUnchanged, Transaction: older, Verification: store.StateArchived},
			store.Standing{State: store.StateArchived, Newest: older, Complete: true, DueReason: store.DueRecheck},
		},

		{
			"the rest is there now", partial,
			store.Result{Outcome: store.OutcomeArchived, Transaction: older, Verification: store.StateArchived},
			store.Standing{State: store.StateArchived, Newest: older, Complete: true, DueReason: store.DueRecheck},
		},
		{
			"settled before", partial,
			store.Result{Outcome: store.OutcomeUnchanged, Class: store.ClassGone, Transaction: older, Verification: store.StatePartial},
			store.Standing{State: store.StatePartial, Class: store.ClassGone, Settled: true, Newest: older, Attempts: 3, DueReason: store.DueRetry},
		},
		{
			"settled, then not answered", partial,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassTimeout},
			store.Standing{State: store.StatePartial, Class: store.ClassGone, Settled: true, Newest: older, Attempts: 3, DueReason: store.DueRetry},
		},
		{
			"settled, then the row went away", partial,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassNoIdentifier, Passing: true},
			store.Standing{State: store.StatePartial, Class: store.ClassGone, Settled: true, Newest: older, Attempts: 3, DueReason: store.DueRetry},
		},
		{
			"not settled, not answered", timedOut,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassNetwork},
			store.Standing{State: store.StateFailed, Class: store.ClassNetwork, Newest: older, Attempts: 3, DueReason: store.DueRetry},
		},
		{
			"said to be gone for the first time", timedOut,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassGone, Passing: true, Transaction: older, Verification: store.StateFailed},
			store.Standing{State: store.StateFailed, Class: store.ClassGone, Newest: older, Attempts: 3, DueReason: store.DueRetry},
		},
		{
			"partial, no longer listed", partial,
			store.Result{Outcome: store.OutcomeNoImages},
			store.Standing{State: store.StatePartial, Class: store.ClassGone, Settled: true, Newest: older, Unlisted: true, Attempts: 3, DueReason: store.DueRetry},
		},
		{
			"listed, nothing stored, no longer listed", timedOut,
			store.Result{Outcome: store.OutcomeNotFound},
			store.Standing{State: store.StateFailed, Class: store.ClassTimeout, Settled: true, Newest: older, Unlisted: true, Attempts: 1, DueReason: store.DueRetry},
		},
		{
			"settles after tries in quick succession", timedOut,
			store.Result{Outcome: store.OutcomeFailed, Class: store.ClassTooLarge, Transaction: older, Verification: store.StateFailed},
			store.Standing{State: store.StateFailed, Class: store.ClassTooLarge, Settled: true, Newest: older, Attempts: 1, DueReason: store.DueRetry},
		},
	} {
		c.result.Task = c.task
		if got := c.result.Standing(); got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
	}
}
