package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

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

// Source is the company's database of users.
type Source struct {
	// DatabaseURL is a postgres:// URL. Required.
	DatabaseURL store.Sensitive `yaml:"database_url"`
	// UsersSQL is one SELECT or WITH statement that gives the columns id, email
	// and phone, and may give transaction_id and verified_at. A trailing
	// semicolon is removed, because the statement is used as a sub-query.
	// Default: SELECT id::text AS id, email, phone FROM users.
	UsersSQL string `yaml:"users_sql"`
	// LookupSQL gives the same columns for the ids in $1, for a UsersSQL that
	// is costly to filter. Default "": UsersSQL is filtered.
	LookupSQL string `yaml:"lookup_sql"`
	// PhoneRegion is the ISO 3166 country whose dialling rules complete local
	// numbers. Default EG.
	PhoneRegion string `yaml:"phone_region"`
	// Identifiers are "phone" and "email" in the order to try; each try costs a
	// request of the quota. Default phone, email.
	Identifiers []string `yaml:"identifiers"`
	// AllowPersonalIDs accepts user ids shaped like a phone, an email or a
	// national id. Default false: ids are kept in the ledger as they are.
	AllowPersonalIDs bool `yaml:"allow_personal_ids"`
}

// Ledger is the database of the audit tables.
type Ledger struct {
	// DatabaseURL is a postgres:// URL. Required; it may equal the source's.
	DatabaseURL store.Sensitive `yaml:"database_url"`
}

// Worker bounds what one process does at a time.
type Worker struct {
	// Concurrency is the number of images in flight, 1 to 1024. Default 16.
	Concurrency int `yaml:"concurrency"`
	// Memory bounds the bytes of bodies and decoded images held at once. It
	// must fit one image of vlens.max_image_bytes. Default 256MiB.
	Memory ByteSize `yaml:"memory"`
	// RecheckAfter is the time after which an archived user is listed again;
	// 0 means only when the user's row changes. Default 2160h, 90 days.
	RecheckAfter time.Duration `yaml:"recheck_after"`
	// Attempts is the number of tries per request, 1 to 20. Default 4.
	Attempts int `yaml:"attempts"`
}

// Notify names who is told about runs. Both URLs usually contain a token.
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
