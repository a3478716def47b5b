package store_test

import (
	"testing"

	"vlens-archiver/store"
)

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
