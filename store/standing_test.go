package store_test

import (
	"testing"

	"vlens-archiver/store"
)

func TestStateNeverLeavesArchived(t *testing.T) {
	t.Parallel()
	for _, outcome := range store.Outcomes {
		if got := store.StateArchived.After(outcome); got != store.StateArchived {
			t.Errorf("archived after %s is %s", outcome, got)
		}
	}
}

func TestStateAfter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state   store.State
		outcome store.Outcome
		want    store.State
	}{
		{store.StatePending, store.OutcomeArchived, store.StateArchived},
		{store.StatePending, store.OutcomeUnchanged, store.StateArchived},
		{store.StatePending, store.OutcomeFailed, store.StateFailed},
		{store.StateFailed, store.OutcomeNotFound, store.StateNotFound},
		{store.StateNoImages, store.OutcomePartial, store.StatePartial},
		{store.StatePartial, store.OutcomeFailed, store.StatePartial},
		{store.StatePartial, store.OutcomeNoImages, store.StatePartial},
		{store.StatePartial, store.OutcomeArchived, store.StateArchived},
	} {
		if got := c.state.After(c.outcome); got != c.want {
			t.Errorf("%s after %s is %s, want %s", c.state, c.outcome, got, c.want)
		}
	}
}

func TestStanding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		outcome store.Outcome
		want    store.Standing
	}{
		{store.OutcomeArchived, store.Standing{State: store.StateArchived, DueReason: store.DueRecheck}},
		{store.OutcomeUnchanged, store.Standing{State: store.StateArchived, DueReason: store.DueRecheck}},
		{store.OutcomePartial, store.Standing{State: store.StatePartial, Attempts: 3, DueReason: store.DueRetry}},
		{store.OutcomeNoImages, store.Standing{State: store.StateNoImages, Attempts: 3, DueReason: store.DueRetry}},
		{store.OutcomeNotFound, store.Standing{State: store.StateNotFound, Attempts: 3, DueReason: store.DueRetry}},
		{store.OutcomeFailed, store.Standing{State: store.StateFailed, Attempts: 3, DueReason: store.DueRetry}},
	} {
		task := store.Task{State: store.StateFailed, Attempts: 2}
		if got := task.Standing(c.outcome); got != c.want {
			t.Errorf("after %s: %+v, want %+v", c.outcome, got, c.want)
		}
	}
}
