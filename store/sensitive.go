package store

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Sensitive is a string that must not be shown: a credential, or an email or
// phone number. Every way of printing or encoding it yields "[redacted]"; only
// Reveal gives the value, so each place that uses it can be found by name.
type Sensitive string

// Reveal returns the value itself.
func (s Sensitive) Reveal() string { return string(s) }

// String returns "[redacted]", or "" when there is nothing to hide.
func (s Sensitive) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format answers every fmt verb, including %x, %q and %#v.
func (s Sensitive) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue answers log/slog.
func (s Sensitive) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText answers the JSON, YAML and XML encoders.
func (s Sensitive) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText stores the value as it is given.
func (s *Sensitive) UnmarshalText(text []byte) error {
	*s = Sensitive(text)
	return nil
}
