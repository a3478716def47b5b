package deploy_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write kubernetes/*.yaml from the chart")

const manifestHeader = "# Rendered from deploy/chart. Change the chart, then: go test ./deploy -run PlainManifests -update\n"

// The manifests for people without Helm are the chart's defaults, plus what the
// chart leaves to a choice: two Jobs, and the Deployment instead of the CronJob.
func TestPlainManifests(t *testing.T) {
	t.Parallel()
	rendered, err := render(parseValues(t, `
backfill: {enabled: true, name: "1", maxDuration: ""}
migrate: {hook: false}
`))
	if err != nil {
		t.Fatal(err)
	}
	scheduled, err := render(parseValues(t, "schedule: {enabled: true}"))
	if err != nil {
		t.Fatal(err)
	}
	rendered["schedule-deployment.yaml"] = scheduled["schedule-deployment.yaml"]
	for name, content := range rendered {
		file := filepath.Join("kubernetes", name)
		want := manifestHeader + content
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v: run the test with -update", err)
		} else if string(got) != want {
			t.Errorf("%s is not what the chart renders: run the test with -update", file)
		}
	}
	checkedIn, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range checkedIn {
		name := filepath.Base(file)
		if _, found := rendered[name]; !found && name != "secret.example.yaml" {
			t.Errorf("nothing renders %s", file)
		}
	}
}
