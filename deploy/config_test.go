package deploy_test

import (
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"vlens-archiver/internal/config"
)

// exampleSecret is the environment that the example Secret gives.
func exampleSecret(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile("kubernetes/secret.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	secret := decode[corev1.Secret](t, map[string]string{"secret": string(content)}, "secret")
	if secret.Name != "vlens-archiver" || secret.Namespace != "vlens-archiver" || len(secret.Data) != 0 {
		t.Errorf("secret %s/%s with %d values in base64", secret.Namespace, secret.Name, len(secret.Data))
	}
	return secret.StringData
}

func lookup(env map[string]string, used map[string]bool) func(string) (string, bool) {
	return func(name string) (string, bool) {
		used[name] = true
		value, found := env[name]
		return value, found
	}
}

func TestDefaultConfigurationNeedsOnlyTheSecret(t *testing.T) {
	t.Parallel()
	env := exampleSecret(t)
	env["SUBJECT_KEY"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
	used := make(map[string]bool)
	text := mustRender(t, nil).configMap.Data["config.yaml"]
	cfg, err := config.Parse("config.yaml", []byte(text), lookup(env, used))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if cfg.Archive.Bucket != env["ARCHIVE_BUCKET"] || cfg.Vlens.TenancyName != env["VLENS_TENANCY_NAME"] {
		t.Errorf("bucket %q, tenancy %q", cfg.Archive.Bucket, cfg.Vlens.TenancyName)
	}
	if got, want := slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(env)); !slices.Equal(got, want) {
		t.Errorf("the configuration reads %q, the Secret has %q", got, want)
	}
}

// Somebody who applies the example unchanged must not archive under a key that
// everybody knows.
func TestExampleSecretIsRefused(t *testing.T) {
	t.Parallel()
	text := mustRender(t, nil).configMap.Data["config.yaml"]
	_, err := config.Parse("config.yaml", []byte(text), lookup(exampleSecret(t), make(map[string]bool)))
	if !errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), "archive.subject_key") {
		t.Errorf("error = %v, want one about archive.subject_key", err)
	}
}

func TestFullConfigurationKeepsItsValues(t *testing.T) {
	t.Parallel()
	rendered := mustRender(t, fullValues(t)).configMap.Data["config.yaml"]
	// The one value that is a file exists only in a pod.
	rendered = strings.Replace(rendered, "${file:/run/secrets/vlens-archiver/password}", "${VLENS_PASSWORD}", 1)
	env := exampleSecret(t)
	env["SUBJECT_KEY"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
	env["HEARTBEAT_URL"] = "https://heartbeat.example.com/1"
	cfg, err := config.Parse("config.yaml", []byte(rendered), lookup(env, make(map[string]bool)))
	if err != nil {
		t.Fatalf("%v\n%s", err, rendered)
	}
	if cfg.Vlens.Quota.PerMinute != 60 || cfg.Vlens.MaxImageBytes != 16*config.MiB || cfg.Archive.ObjectLock.Days != 30 ||
		cfg.Schedule.Cron != "30 1 * * 0-4" || cfg.Schedule.Timezone != "Etc/UTC" || cfg.Telemetry.HealthListen != "0.0.0.0:8181" || cfg.Telemetry.MetricsListen != ":9090" {
		t.Errorf("quota %+v, image %v, lock %+v, schedule %+v, telemetry %+v", cfg.Vlens.Quota, cfg.Vlens.MaxImageBytes, cfg.Archive.ObjectLock, cfg.Schedule, cfg.Telemetry)
	}
}
