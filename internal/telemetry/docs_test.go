package telemetry

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// docs/telemetry.md lists every metric with its labels, and no other.
func TestTheDocumentListsTheMetrics(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]family)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || !strings.HasPrefix(cells[1], " `vlens_archiver_") {
			continue
		}
		var labels []string
		for label := range strings.SplitSeq(cells[3], ",") {
			if name := strings.Trim(label, " `"); name != "" {
				labels = append(labels, name)
			}
		}
		documented[strings.Trim(cells[1], " `")] = family{strings.TrimSpace(cells[2]), labels}
	}
	metrics := everything(t)
	for name, want := range metrics {
		got, there := documented[name]
		if !there {
			t.Errorf("the table lacks %s", name)
			continue
		}
		if got.kind != want.kind || !slices.Equal(got.labels, want.labels) {
			t.Errorf("the table says that %s is a %s with %q; it is a %s with %q", name, got.kind, got.labels, want.kind, want.labels)
		}
	}
	for name := range documented {
		if _, there := metrics[name]; !there {
			t.Errorf("the table has %s, which nothing measures", name)
		}
	}
}

// No metric tells anything of one user or one run.
func TestLabelsAreSortsOfThings(t *testing.T) {
	t.Parallel()
	allowed := []string{
		"class", "commit", "endpoint", "exit_code", "fault", "finding", "go_version", "kind", "outcome", "result", "state", "status", "version", "window",
	}
	for name, metric := range everything(t) {
		for _, label := range metric.labels {
			if !slices.Contains(allowed, label) {
				t.Errorf("%s has the label %s", name, label)
			}
		}
	}
}
