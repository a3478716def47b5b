package deploy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestScheduleDeployment(t *testing.T) {
	t.Parallel()
	o := mustRender(t, parseValues(t, "schedule: {enabled: true}"))
	spec := o.schedule.Spec
	pod := spec.Template.Spec
	checkRestricted(t, pod)
	if o.cronJob != nil || *spec.Replicas != 1 || pod.RestartPolicy != corev1.RestartPolicyAlways {
		t.Errorf("CronJob %v, %d replicas, restart %s", o.cronJob, *spec.Replicas, pod.RestartPolicy)
	}
	for key, value := range spec.Selector.MatchLabels {
		if spec.Template.Labels[key] != value {
			t.Errorf("the Deployment does not select its pods (%s)", key)
		}
	}
	container := pod.Containers[0]
	want := []string{"--config=/etc/vlens-archiver/config.yaml", "schedule", "--log-format=json", "--worker=$(POD_NAME)", "--max-duration=8h"}
	if !slices.Equal(container.Args, want) {
		t.Errorf("args = %q, want %q", container.Args, want)
	}
	live, ready := container.LivenessProbe.HTTPGet, container.ReadinessProbe.HTTPGet
	if live.Path != "/livez" || ready.Path != "/readyz" || live.Port != ready.Port {
		t.Errorf("probes %+v and %+v", live, ready)
	}
	for _, values := range []map[string]any{parseValues(t, "schedule: {enabled: true}"), fullValues(t)} {
		o := mustRender(t, values)
		port := o.schedule.Spec.Template.Spec.Containers[0].Ports[0]
		if text := o.configMap.Data["config.yaml"]; !strings.Contains(text, fmt.Sprintf(":%d\n", port.ContainerPort)) && !strings.Contains(text, fmt.Sprintf(`:%d"`, port.ContainerPort)) {
			t.Errorf("probes ask port %d, the program listens elsewhere: %s", port.ContainerPort, text)
		}
		if port.Name != live.Port.StrVal {
			t.Errorf("probes ask port %q, the container has %q", live.Port.StrVal, port.Name)
		}
	}
}

// A pod that stays up has read its configuration long ago.
func TestScheduleRestartsOnNewConfiguration(t *testing.T) {
	t.Parallel()
	annotations := func(values string) map[string]string {
		return mustRender(t, parseValues(t, values)).schedule.Spec.Template.Annotations
	}
	one, same, other := annotations("schedule: {enabled: true}"), annotations("schedule: {enabled: true, replicas: 2}"), annotations("{schedule: {enabled: true}, run: {schedule: '@hourly'}}")
	if !maps.Equal(one, same) || maps.Equal(one, other) {
		t.Errorf("annotations %v, the same configuration %v, another one %v", one, same, other)
	}
}
