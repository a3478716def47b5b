package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"vlens-archiver/store"
)

// Config is the whole configuration with defaults filled in and every value
// checked. Its YAML keys are part of the program's contract.
type Config struct {
	Source    Source    `yaml:"source"`
	Ledger    Ledger    `yaml:"ledger"`
	Vlens     Vlens     `yaml:"vlens"`
	Archive   Archive   `yaml:"archive"`
	Evidence  Evidence  `yaml:"evidence"`
	Worker    Worker    `yaml:"worker"`
	Schedule  Schedule  `yaml:"schedule"`
	Notify    Notify    `yaml:"notify"`
	Telemetry Telemetry `yaml:"telemetry"`
}

// Ledger is the database of the audit tables.
type Ledger struct {
	// DatabaseURL is a postgres:// URL. Required; it may equal the source's.
	DatabaseURL store.Sensitive `yaml:"database_url"`
}

// Notify names who is notified of runs. Both URLs usually contain a token.
type Notify struct {
	// HeartbeatURL is called when a run starts and ends. Default "": nobody.
	HeartbeatURL store.Sensitive `yaml:"heartbeat_url"`
	// WebhookURL gets the summary of a closed run. Default "": nobody.
	WebhookURL store.Sensitive `yaml:"webhook_url"`
}

// Telemetry says where measurements go; an empty value turns each one off.
type Telemetry struct {
	// OTLPEndpoint is the URL of an OpenTelemetry collector: HTTP when it has the
	// port 4318 or a path, else gRPC. Default "".
	OTLPEndpoint string `yaml:"otlp_endpoint"`
	// MetricsListen is the host:port that serves metrics. Default "".
	MetricsListen string `yaml:"metrics_listen"`
	// HealthListen is the host:port that serves health. Default "".
	HealthListen string `yaml:"health_listen"`
}

// Fingerprint is the SHA-256, in lower-case hex, of the effective configuration
// without its secrets: of a secret it covers only whether there is one, so two
// runs can be compared without the ledger holding anything to guess from.
func (c *Config) Fingerprint() string {
	effective, err := json.Marshal(c)
	if err != nil {
		panic("config: text and numbers cannot fail to encode: " + err.Error())
	}
	sum := sha256.Sum256(effective)
	return hex.EncodeToString(sum[:])
}
