package deploy_test

import (
	"os"
	"strings"
	"testing"
)

func TestBadValues(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ values, message string }{
		"unknown key":               {"shedule: x", "shedule"},
		"unknown nested key":        {"run: {maxDurations: 1h}", "maxDurations"},
		"no time-box":               {"run: {maxDuration: ''}", "/run/maxDuration"},
		"bad duration":              {"run: {maxDuration: 8 hours}", "/run/maxDuration"},
		"deadline below time-box":   {"run: {activeDeadlineSeconds: 3600}", "run.activeDeadlineSeconds (3600) must be above run.maxDuration (8h) plus terminationGracePeriodSeconds (90), together 28890"},
		"deadline at time-box":      {"run: {maxDuration: 1h1m1s, activeDeadlineSeconds: 3751}", "together 3751"},
		"backfill deadline":         {"backfill: {enabled: true, name: a, maxDuration: 90m, activeDeadlineSeconds: 60}", "backfill.activeDeadlineSeconds (60)"},
		"probes without a port":     {"{schedule: {enabled: true}, config: {telemetry: {health_listen: '${HEALTH}'}}}", "config.telemetry.health_listen must end in a port"},
		"two schedules":             {"config: {schedule: {cron: '@daily'}}", "set those"},
		"grace below the program's": {"terminationGracePeriodSeconds: 30", "/terminationGracePeriodSeconds"},
		"no pods":                   {"run: {parallelism: 0}", "/run/parallelism"},
		"backfill without a name":   {"backfill: {enabled: true}", "backfill.name is empty"},
		"backfill name too long":    {"backfill: {enabled: true, name: " + strings.Repeat("a", 60) + "}", "shorten backfill.name"},
		"backfill name not a run":   {"backfill: {enabled: true, name: Upper}", "/backfill/name"},
		"digest":                    {"image: {digest: latest}", "/image/digest"},
		"every peer":                {"networkPolicy: {postgres: {cidrs: []}}", "/networkPolicy/postgres/cidrs"},
		"secret in config":          {"config: {vlens: {password: 'hunter2${'}}", "config.vlens.password is a secret"},
		"secret URL in config":      {"config: {ledger: {database_url: 'postgres://u:hunter2@db/x'}}", "config.ledger.database_url is a secret"},
		"secret number in config":   {"config: {archive: {subject_key: 1234}}", "config.archive.subject_key is a secret"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := render(parseValues(t, test.values))
			if err == nil {
				t.Fatal("rendered")
			}
			if !strings.Contains(err.Error(), test.message) {
				t.Errorf("message = %v\nwant in it: %s", err, test.message)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the message repeats the secret")
			}
		})
	}
}

func fullValues(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile("testdata/full-values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return parseValues(t, string(text))
}

// The file of full values stands for every option only while it names them all.
func TestFullValuesNameEveryOption(t *testing.T) {
	t.Parallel()
	read := func(file string) map[string]any {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return parseValues(t, string(text))
	}
	full := read("testdata/full-values.yaml")
	for key, value := range read("chart/values.yaml") {
		if _, found := full[key]; !found {
			t.Errorf("%s is missing", key)
		}
		options, isMap := value.(map[string]any)
		if !isMap || key == "config" || key == "resources" {
			continue
		}
		for option := range options {
			if _, found := full[key].(map[string]any)[option]; !found {
				t.Errorf("%s.%s is missing", key, option)
			}
		}
	}
}
