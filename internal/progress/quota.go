package progress

import (
	"fmt"
	"log/slog"

	"vlens-archiver/store"
)

// quotaDetails say how much of the minute is taken, by all processes together,
// and whether requests are held back.
func quotaDetails(use store.QuotaUse) []string {
	var parts []string
	if used, limit := minute(use); limit > 0 {
		parts = append(parts, fmt.Sprintf("quota %d/%d", used, limit))
	}
	if use.CoolUntil.After(use.At) {
		parts = append(parts, "throttled for "+Span(use.CoolUntil.Sub(use.At)))
	}
	return parts
}

func quotaAttributes(use store.QuotaUse) []slog.Attr {
	var attributes []slog.Attr
	if used, limit := minute(use); limit > 0 {
		attributes = append(attributes, slog.Int("quota_minute", used), slog.Int("quota_minute_limit", limit))
	}
	if use.CoolUntil.After(use.At) {
		attributes = append(attributes, slog.Time("cool_until", use.CoolUntil.UTC()))
	}
	return attributes
}

// minute is what is taken of the tighter of the tenant's minute and the run's.
func minute(use store.QuotaUse) (used, limit int) {
	if use.RunPerMinute > 0 && (use.PerMinute == 0 || use.RunPerMinute < use.PerMinute) {
		return use.RunUsed, use.RunPerMinute
	}
	return use.MinuteUsed, use.PerMinute
}
