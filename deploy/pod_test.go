package deploy_test

import (
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// checkRestricted holds a pod to the "restricted" level of the Kubernetes Pod
// Security Standards, and to a file system nobody can write to.
func checkRestricted(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	security := pod.SecurityContext
	if security == nil || !*security.RunAsNonRoot || *security.RunAsUser != 65532 || security.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("pod security = %+v", security)
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Error("the pod gets a token of the Kubernetes API")
	}
	if pod.HostNetwork || pod.HostPID || pod.HostIPC || len(pod.InitContainers) != 0 || len(pod.Containers) != 1 {
		t.Error("the pod has more than one container in namespaces of its own")
	}
	container := pod.Containers[0].SecurityContext
	if *container.AllowPrivilegeEscalation || !*container.ReadOnlyRootFilesystem || container.Privileged != nil {
		t.Errorf("container security = %+v", container)
	}
	if !slices.Equal(container.Capabilities.Drop, []corev1.Capability{"ALL"}) || container.Capabilities.Add != nil {
		t.Errorf("capabilities = %+v", container.Capabilities)
	}
	for _, volume := range pod.Volumes {
		if volume.HostPath != nil || volume.EmptyDir != nil && volume.EmptyDir.SizeLimit.IsZero() {
			t.Errorf("volume %s is of the host or without a limit", volume.Name)
		}
	}
}

// checkRetries compares with the exit codes of the program: those that another
// pod would only repeat end the Job or index, disruptions are free.
func checkRetries(t *testing.T, job batchv1.JobSpec, action batchv1.PodFailurePolicyAction) {
	t.Helper()
	if job.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
		t.Error("podFailurePolicy needs restartPolicy Never")
	}
	if job.PodReplacementPolicy == nil || *job.PodReplacementPolicy != batchv1.Failed {
		t.Error("a pod is replaced before it has ended")
	}
	rules := job.PodFailurePolicy.Rules
	if len(rules) != 2 {
		t.Fatalf("rules = %v", rules)
	}
	codes := rules[0].OnExitCodes
	if rules[0].Action != action || codes.Operator != batchv1.PodFailurePolicyOnExitCodesOpIn || !slices.Equal(codes.Values, []int32{3, 4, 5, 6, 10}) {
		t.Errorf("first rule = %+v", rules[0])
	}
	if *codes.ContainerName != job.Template.Spec.Containers[0].Name {
		t.Errorf("the rule watches container %q", *codes.ContainerName)
	}
	if rules[1].Action != batchv1.PodFailurePolicyActionIgnore || rules[1].OnPodConditions[0].Type != corev1.DisruptionTarget {
		t.Errorf("second rule = %+v", rules[1])
	}
	if len(rules[0].OnPodConditions)+len(rules[1].OnPodConditions) != 1 {
		t.Errorf("conditions: %+v", rules)
	}
}

func fieldPath(container corev1.Container, name string) string {
	for _, env := range container.Env {
		if env.Name == name && env.ValueFrom != nil {
			return env.ValueFrom.FieldRef.FieldPath
		}
	}
	return ""
}
