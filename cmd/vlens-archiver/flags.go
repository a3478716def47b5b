package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// jsonFlag gives a command the flag for output that a program reads.
func jsonFlag(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "write JSON to stdout")
}

// parseTime reads a point in time; a date alone is midnight UTC.
func parseTime(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %q: expected a time such as 2026-01-31T22:00:00+02:00, or a date such as 2026-01-31", flag, text)
}

// badRunID is the problem of a flag whose value store.ValidRunID refuses.
func badRunID(flag, id string) string {
	return fmt.Sprintf("%s %q: expected 1 to 63 lower-case letters, digits and hyphens, the first no hyphen", flag, id)
}
