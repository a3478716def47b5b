package main

import (
	"runtime/debug"
	"testing"
)

func TestCheckout(t *testing.T) {
	t.Parallel()
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	for want, settings := range map[string][]debug.BuildSetting{
		"unknown":      nil,
		"0a1b2c":       {setting("GOOS", "linux"), setting("vcs.revision", "0a1b2c"), setting("vcs.modified", "false")},
		"0a1b2c-dirty": {setting("vcs.modified", "true"), setting("vcs.revision", "0a1b2c")},
	} {
		if got := checkout(settings); got != want {
			t.Errorf("%v: %q, want %q", settings, got, want)
		}
	}
}
