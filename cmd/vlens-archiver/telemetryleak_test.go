package main

import (
	"strings"
	"testing"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"

	"vlens-archiver/internal/telemetry/telemetrytest"
	"vlens-archiver/vlens/vlenstest"
)

// Everything known of people and every secret is planted; runs then meet all
// sorts of trouble, and every byte that a collector got is searched.
func TestTelemetryTellsNothingPersonal(t *testing.T) {
	t.Parallel()
	scenario := vlenstest.DemoScenario()
	scenario.All = vlenstest.Rules{Message: "arabic", Descriptions: "array"}
	for id, fault := range map[string]string{
		"u-000011": "error", "u-000012": "reset once", "u-000013": "html_502", "u-000014": "empty_200", "u-000015": "short_length",
	} {
		scenario.Users[id] = vlenstest.Rules{Faults: map[vlenstest.Endpoint]string{vlenstest.List: fault}}
	}
	collector := telemetrytest.NewCollector(t)
	s := newSite(t, vlenstest.Options{People: vlenstest.DemoPeople, Seed: 23, ImageBytes: 4 << 10, Scenario: scenario}).migrated().pushTo(collector.HTTP)
	s.run("run", "--run-id", "planted-run").exits(exitUsersFailed)
	if err := s.vlens.Change(func(sc *vlenstest.Scenario) { sc.Auth.Permission = "missing" }); err != nil {
		t.Fatal(err)
	}
	s.exec(s.env["LEDGER_DATABASE_URL"], `UPDATE archive.subjects SET next_due_at = now()`)
	s.run("run").exits(exitDenied)
	s.env["VLENS_PASSWORD"] = "planted-wrong-password"
	s.run("run").exits(exitDenied)

	planted := []string{
		vlenstest.DefaultAPIKey, vlenstest.DefaultPassword, vlenstest.DefaultUsername, "planted-wrong-password", siteKey, "u-000",
		"contact support", "not found.", "غير", "خطأ", s.env["LEDGER_DATABASE_URL"], s.source, ".jpg",
	}
	for user := range s.vlens.Users() {
		person, _ := s.vlens.Person(user.ID)
		planted = append(planted, person.Name, person.NationalID, person.Email, strings.TrimPrefix(person.Phone, "+20"))
		for _, kind := range vlenstest.Kinds {
			name, _, _ := strings.Cut(person.FileName(kind), ".")
			planted = append(planted, name)
		}
	}
	pushed := collector.Raw()
	if len(planted) < 1000 || len(pushed) < 10_000 {
		t.Fatalf("%d secrets and %d bytes: the search proves nothing", len(planted), len(pushed))
	}
	for _, secret := range planted {
		if secret == "" {
			t.Fatal("a secret is empty")
		}
		if strings.Contains(pushed, secret) {
			t.Errorf("the collector got %q", secret)
		}
	}

	// Pseudonyms and the run stand in traces, and never in metrics.
	names := map[string]bool{"planted-run": true}
	for _, span := range collector.Spans() {
		if subject := telemetrytest.Attribute(span.GetAttributes(), "vlens_archiver.subject"); subject != "" {
			names[subject] = true
		}
	}
	if len(names) < 10 {
		t.Fatalf("only %d users were traced", len(names))
	}
	collector.EachMetric(func(_ string, m *metricspb.Metric) {
		for name := range names {
			if strings.Contains(m.String(), name) {
				t.Errorf("metric %s tells %q", m.GetName(), name)
			}
		}
	})
}
