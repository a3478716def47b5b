package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"vlens-archiver/store"
)

// check verifies what the types of single values cannot say, and brings values
// with several spellings into one.
func check(cfg *Config, found *findings) {
	c := checker{found}
	c.source(&cfg.Source)
	c.databaseURL("ledger.database_url", cfg.Ledger.DatabaseURL)
	c.vlens(&cfg.Vlens)
	c.archive(&cfg.Archive)
	c.evidence(&cfg.Evidence, cfg.Vlens.TenancyName)
	c.worker(&cfg.Worker, cfg.Vlens.MaxImageBytes)
	c.schedule(cfg.Schedule)
	c.optionalURL("notify.heartbeat_url", cfg.Notify.HeartbeatURL.Reveal())
	c.optionalURL("notify.webhook_url", cfg.Notify.WebhookURL.Reveal())
	c.optionalURL("telemetry.otlp_endpoint", cfg.Telemetry.OTLPEndpoint)
	c.expect(!strings.Contains(cfg.Telemetry.OTLPEndpoint, "?"), "telemetry.otlp_endpoint", "expected a URL without a query; a token goes into OTEL_EXPORTER_OTLP_HEADERS")
	c.listen("telemetry.metrics_listen", cfg.Telemetry.MetricsListen)
	c.listen("telemetry.health_listen", cfg.Telemetry.HealthListen)
}

type checker struct{ found *findings }

// expect notes the problem unless the condition holds.
func (c checker) expect(holds bool, key, problem string) {
	if !holds {
		c.found.add(key, problem)
	}
}

func (c checker) required(key, value string) {
	c.expect(value != "", key, "required, but missing or empty")
}

func (c checker) oneOf(key, value string, allowed ...string) {
	c.expect(slices.Contains(allowed, value), key, "expected "+strings.Join(allowed, ", "))
}

func (c checker) between(key string, value, lowest, highest int) {
	c.expect(lowest <= value && value <= highest, key, fmt.Sprintf("expected a number from %d to %d", lowest, highest))
}

func (c checker) source(s *Source) {
	c.databaseURL("source.database_url", s.DatabaseURL)

	users, _, err := queryStatement(s.UsersSQL)
	if err != nil {
		c.found.add("source.users_sql", err.Error())
	}
	s.UsersSQL = users
	if s.LookupSQL != "" {
		lookup, hasIDs, err := queryStatement(s.LookupSQL)
		if err != nil {
			c.found.add("source.lookup_sql", err.Error())
		}
		c.expect(hasIDs, "source.lookup_sql", "expected the ids as a parameter, as in WHERE id = ANY($1)")
		s.LookupSQL = lookup
	}

	c.expect(phonenumbers.GetSupportedRegions()[s.PhoneRegion], "source.phone_region", "expected a country code of two capital letters such as EG")

	c.expect(len(s.Identifiers) > 0, "source.identifiers", "expected phone, email or both")
	for i, identifier := range s.Identifiers {
		c.oneOf("source.identifiers", identifier, "phone", "email")
		c.expect(!slices.Contains(s.Identifiers[:i], identifier), "source.identifiers", "names an identifier twice")
	}
}

func (c checker) vlens(v *Vlens) {
	if normal, ok := normalBaseURL(v.BaseURL); ok {
		v.BaseURL = normal
	} else {
		c.found.add("vlens.base_url", "expected an https URL such as https://api.vlenseg.com, without user, query or fragment; http only for a loopback host")
	}

	// The limits are those of the login call.
	c.credential("vlens.api_key", v.APIKey.Reveal(), maxValueBytes)
	c.credential("vlens.tenancy_name", v.TenancyName, 256)
	c.credential("vlens.username", v.Username.Reveal(), 256)
	c.credential("vlens.password", v.Password.Reveal(), 32)

	c.expect(v.Quota.PerSecond >= 0, "vlens.quota.per_second", "expected a number from 0; 0 means no limit")
	c.expect(v.Quota.PerMinute >= 0, "vlens.quota.per_minute", "expected a number from 0; 0 means no limit")
	c.expect(v.Quota.Margin >= 0, "vlens.quota.margin", "expected a duration that is not negative")
	c.expect(v.Timeout > 0, "vlens.timeout", "expected a duration above 0")
	// More would not fit a base64 body into the memory of a small pod.
	c.expect(0 < v.MaxImageBytes && v.MaxImageBytes <= GiB, "vlens.max_image_bytes", "expected a size from 1 byte to 1GiB")
	c.codes(v.Codes)
}

// credential checks a value that goes into HTTP headers or the login body,
// where a stray line end would be refused much later.
func (c checker) credential(key, value string, characters int) {
	c.required(key, value)
	c.expect(utf8.RuneCountInString(value) <= characters, key, fmt.Sprintf("has more than %d characters", characters))
	c.expect(strings.IndexFunc(value, unicode.IsControl) < 0, key, "contains a line end or another control character")
}

func (c checker) codes(codes Codes) {
	var known []int
	for _, list := range []struct {
		key   string
		codes []int
	}{
		{"vlens.codes.not_found", codes.NotFound},
		{"vlens.codes.gone", codes.Gone},
		{"vlens.codes.throttled", codes.Throttled},
		{"vlens.codes.permanent", codes.Permanent},
	} {
		for _, code := range list.codes {
			c.expect(code != 0, list.key, "contains 0, which means success")
			c.expect(!slices.Contains(known, code), list.key, "contains a code that is listed before; a code has one meaning")
			known = append(known, code)
		}
	}
}

func (c checker) worker(w *Worker, maxImage ByteSize) {
	c.between("worker.concurrency", w.Concurrency, 1, 1024)
	c.between("worker.attempts", w.Attempts, 1, 20)
	c.expect(w.RecheckAfter == 0 || w.RecheckAfter >= time.Hour, "worker.recheck_after", "expected 0 or at least 1h")
	if !c.found.has("vlens.max_image_bytes") {
		least := memoryForOneImage(maxImage)
		c.expect(w.Memory >= least, "worker.memory", fmt.Sprintf("expected at least %s, which one image of vlens.max_image_bytes needs", least))
	}
}

// memoryForOneImage is the image and its base64 text, which is 4/3 of it, with
// 1 MiB for the rest of the body; rounded up to a KiB so that it reads well.
func memoryForOneImage(maxImage ByteSize) ByteSize {
	bytes := (maxImage*7+2)/3 + MiB
	return (bytes + KiB - 1) / KiB * KiB
}

func (c checker) schedule(s Schedule) {
	if _, err := s.location(); err != nil {
		c.found.add("schedule.timezone", err.Error())
		return
	}
	if _, err := s.Ticks(); err != nil {
		c.found.add("schedule.cron", err.Error())
	}
}

func (c checker) listen(key, address string) {
	if address == "" {
		return
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	c.expect(err == nil, key, "expected host:port, or :port for every address")
}

func (c checker) databaseURL(key string, value store.Sensitive) {
	c.required(key, value.Reveal())
	c.expect(isDatabaseURL(value.Reveal()), key, "expected postgres://user:password@host:port/database, special characters in the password percent-encoded")
}

func (c checker) optionalURL(key, value string) {
	if value == "" {
		return
	}
	_, ok := webURL(value)
	c.expect(ok, key, "expected an http or https URL without user or fragment")
}
