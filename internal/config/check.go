package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// check verifies what the types of single values cannot say, and brings values
// with several spellings into one.
func check(cfg *Config, found *findings) {
	c := checker{found}
	c.source(cfg.Source)
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

func (c checker) optionalURL(key, value string) {
	if value == "" {
		return
	}
	_, ok := webURL(value)
	c.expect(ok, key, "expected an http or https URL without user or fragment")
}

// notInName matches the characters that no name of ours may contain.
func notInName(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
