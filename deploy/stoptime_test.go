package deploy_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"vlens-archiver/internal/app"
)

// A pod that is told to stop is killed only after everything that the program does
// before its end could be done, by the chart and by the manifests alike.
func TestGracePeriodIsAboveTheStopTime(t *testing.T) {
	t.Parallel()
	check := func(name string, pod corev1.PodSpec) {
		t.Helper()
		grace := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second
		if grace <= app.StopTime {
			t.Errorf("%s: a pod has %s to stop, the program takes up to %s", name, grace, app.StopTime)
		}
	}
	scheduled := mustRender(t, parseValues(t, "{schedule: {enabled: true}, backfill: {enabled: true, name: one}}"))
	check("schedule", scheduled.schedule.Spec.Template.Spec)
	for name, job := range mustRender(t, parseValues(t, "backfill: {enabled: true, name: one}")).jobs() {
		check(name, job.Template.Spec)
	}
	least := app.StopTime.Seconds()
	if _, err := render(parseValues(t, "terminationGracePeriodSeconds: 82")); err == nil && least >= 82 {
		t.Errorf("the chart accepts 82 s, the program takes up to %g s", least)
	}
}
