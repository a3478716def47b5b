package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// events are the names of the events of a log. Every line of it must have one.
func events(t *testing.T, log string) []string {
	t.Helper()
	var names []string
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "{") {
			continue // the last words, for people
		}
		var entry struct{ Event string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("a log line is no JSON: %v: %s", err, line)
		}
		if entry.Event == "" {
			t.Errorf("a log line has no event: %s", line)
		}
		names = append(names, entry.Event)
	}
	return names
}
