package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
)

// minimal has the required keys and nothing else.
const minimal = `source:
  database_url: postgres://reader:pw@db.example/app
ledger:
  database_url: postgres://writer:pw@db.example/app
vlens:
  api_key: planted-api-key
  tenancy_name: acme
  username: planted-username
  password: planted-password
archive:
  bucket: kyc
  subject_key: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
`

// signingKey is a key for the origin acme.example/vlens-archive.
const signingKey = "PRIVATE+KEY+acme.example/vlens-archive+0a4d29fc+ARPcIViyRAjezxUMh6NfwIq5X3x7Mm6JqJBHD7B0oxyy"

func noEnv(string) (string, bool) { return "", false }

func envOf(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, found := values[name]
		return value, found
	}
}

func parse(t *testing.T, text string, env func(string) (string, bool)) *config.Config {
	t.Helper()
	cfg, err := config.Parse("config.yaml", []byte(text), env)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// replace changes one line of minimal; the line must be there.
func replace(t *testing.T, line, by string) string {
	t.Helper()
	if !strings.Contains(minimal, line) {
		t.Fatalf("the minimal configuration has no %q", line)
	}
	return strings.Replace(minimal, line, by, 1)
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	got := parse(t, minimal, noEnv)
	want := &config.Config{
		Source: config.Source{
			DatabaseURL: "postgres://reader:pw@db.example/app",
			UsersSQL:    "SELECT id::text AS id, email, phone FROM users",
			PhoneRegion: "EG",
			Identifiers: []string{"phone", "email"},
		},
		Ledger: config.Ledger{DatabaseURL: "postgres://writer:pw@db.example/app"},
		Vlens: config.Vlens{
			BaseURL: "https://api.vlenseg.com", APIKey: "planted-api-key", TenancyName: "acme",
			Username: "planted-username", Password: "planted-password",
			Quota:   config.Quota{PerSecond: 5, PerMinute: 40, Margin: 250 * time.Millisecond},
			Timeout: 60 * time.Second, MaxImageBytes: 16 << 20,
			Codes: config.Codes{NotFound: []int{}, Gone: []int{}, Throttled: []int{4003}, Permanent: []int{}},
		},
		Archive: config.Archive{
			Bucket: "kyc", Prefix: "vlens", Region: "me-central-1",
			SubjectKey: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
			Encryption: config.Encryption{Mode: "sse-s3"},
			ObjectLock: config.ObjectLock{Mode: "none"},
		},
		Evidence: config.Evidence{Origin: "vlens-archive/acme"},
		Worker:   config.Worker{Concurrency: 16, Memory: 256 << 20, RecheckAfter: 2160 * time.Hour, Attempts: 4},
		Schedule: config.Schedule{Cron: "0 22 * * *", Timezone: "Africa/Cairo"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
}

func TestGoodValues(t *testing.T) {
	t.Parallel()
	cfg := parse(t, minimal+`  prefix: ""
  endpoint: http://127.0.0.1:9000
  force_path_style: true
  encryption: {mode: sse-kms, kms_key_id: "arn:aws:kms:me-central-1:1:key/x"}
  object_lock: {mode: compliance, days: 1825}
worker: {concurrency: 1024, memory: 1GiB, recheck_after: 0, attempts: 20}
evidence:
schedule: {cron: "@daily", timezone: UTC}
telemetry: {otlp_endpoint: "http://collector:4317", metrics_listen: ":9090", health_listen: "[::1]:8080"}
`, noEnv)
	if cfg.Archive.Prefix != "" || !cfg.Archive.ForcePathStyle || cfg.Archive.ObjectLock.Days != 1825 || cfg.Archive.Encryption.Mode != "sse-kms" {
		t.Errorf("archive = %+v", cfg.Archive)
	}
	if cfg.Worker != (config.Worker{Concurrency: 1024, Memory: config.GiB, RecheckAfter: 0, Attempts: 20}) {
		t.Errorf("worker = %+v", cfg.Worker)
	}

	for name, c := range map[string]struct{ url, want string }{
		"slash and case":     {"https://API.Vlenseg.com/", "https://api.vlenseg.com"},
		"path":               {"https://proxy.example/vlens/", "https://proxy.example/vlens"},
		"loopback name":      {"http://localhost:8080", "http://localhost:8080"},
		"loopback address":   {"http://127.1.2.3:8080", "http://127.1.2.3:8080"},
		"loopback address 6": {"http://[::1]:8080", "http://[::1]:8080"},
	} {
		got := parse(t, replace(t, "vlens:\n", "vlens:\n  base_url: "+c.url+"\n"), noEnv).Vlens.BaseURL
		if got != c.want {
			t.Errorf("%s: base_url = %q, want %q", name, got, c.want)
		}
	}
}

func TestMemoryMinimumIsExact(t *testing.T) {
	t.Parallel()
	// 3 MiB of image, 4 MiB of base64 and 1 MiB.
	text := replace(t, "vlens:\n", "vlens:\n  max_image_bytes: 3MiB\n")
	parse(t, text+"worker: {memory: 8MiB}\n", noEnv)
	_, err := config.Parse("config.yaml", []byte(text+"worker: {memory: 8388607}\n"), noEnv)
	if err == nil || !strings.Contains(err.Error(), "at least 8MiB") {
		t.Fatalf("one byte less than 8MiB: %v", err)
	}
}

func TestByteSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]config.ByteSize{
		"1073741824": config.GiB, "1GiB": config.GiB, "512MiB": 512 * config.MiB, "1048576KiB": config.GiB,
		"1GB": 1e9, "200MB": 200e6, "200000KB": 200e6, "1000000000B": 1e9,
	} {
		if got := parse(t, minimal+"worker: {memory: "+text+"}\n", noEnv).Worker.Memory; got != want {
			t.Errorf("%s = %d, want %d", text, got, want)
		}
	}
	for size, want := range map[config.ByteSize]string{0: "0", 1: "1", 1024: "1KiB", 1025: "1025", 16 << 20: "16MiB", 1 << 30: "1GiB", 3 << 29: "1536MiB"} {
		if got := size.String(); got != want {
			t.Errorf("ByteSize(%d) = %q, want %q", int64(size), got, want)
		}
	}
}

func TestTicks(t *testing.T) {
	t.Parallel()
	cfg := parse(t, minimal, noEnv)
	ticks, err := cfg.Schedule.Ticks()
	if err != nil {
		t.Fatal(err)
	}
	got := ticks.Next(time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC))
	if want := time.Date(2026, 1, 10, 20, 0, 0, 0, time.UTC); !got.Equal(want) { // Cairo is UTC+2 in winter
		t.Fatalf("next tick %v, want %v", got, want)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	base := parse(t, minimal, noEnv).Fingerprint()
	if len(base) != 64 || strings.Trim(base, "0123456789abcdef") != "" {
		t.Fatalf("fingerprint %q is not lower-case hex of 32 bytes", base)
	}
	// The same values written otherwise, and other secrets, change nothing.
	same := replace(t, "planted-password", "${P}") + "worker: {memory: 262144KiB, recheck_after: 129600m}\n"
	if got := parse(t, same, envOf(map[string]string{"P": "another"})).Fingerprint(); got != base {
		t.Error("a secret or a spelling changed the fingerprint")
	}
	for name, text := range map[string]string{
		"concurrency": minimal + "worker: {concurrency: 17}\n",
		"signing key": minimal + "evidence: {origin: acme.example/vlens-archive, signing_key: " + signingKey + "}\n", // its presence, not its value
		"query":       replace(t, "source:\n", "source:\n  users_sql: SELECT id, email, phone FROM customers\n"),
	} {
		if parse(t, text, noEnv).Fingerprint() == base {
			t.Errorf("%s: the fingerprint did not change", name)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "config.yaml")
	if _, err := config.Load(name, noEnv); !errors.Is(err, config.ErrInvalid) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(name, []byte("\ufeff"+strings.ReplaceAll(minimal, "\n", "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(name, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Vlens.Password != store.Sensitive("planted-password") {
		t.Error("a file with a byte order mark and CRLF gives other values")
	}
	if err := os.WriteFile(name, []byte(minimal+strings.Repeat("#", 64<<10)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(name, noEnv); !errors.Is(err, config.ErrInvalid) {
		t.Errorf("a file above the bound: %v", err)
	}
}
