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

func TestEveryClassIsExplained(t *testing.T) {
	t.Parallel()
	seen := map[store.Class]bool{}
	for _, info := range store.Classes {
		if seen[info.Class] || info.Meaning == "" || info.Remedy == "" {
			t.Errorf("class %q: repeated, or not explained", info.Class)
		}
		seen[info.Class] = true
		if got, ok := info.Class.Info(); !ok || got != info {
			t.Errorf("class %q is not found by name", info.Class)
		}
	}
	if _, ok := store.Class("free text").Info(); ok {
		t.Error("a word that is no class has a row")
	}
}

func TestValidRunID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"a": true, "0-run": true, "nightly-29412360": true,
		"": false, "-a": false, "A": false, "a_b": false, "a/b": false, "a\n": false,
		"a23456789012345678901234567890123456789012345678901234567890123":  true,
		"a234567890123456789012345678901234567890123456789012345678901234": false,
	} {
		if got := store.ValidRunID(id); got != want {
			t.Errorf("%q: %v, want %v", id, got, want)
		}
	}
}
