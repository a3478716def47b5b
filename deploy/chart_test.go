package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"vlens-archiver/store"
)

func TestDefaultJobs(t *testing.T) {
	t.Parallel()
	o := mustRender(t, parseValues(t, "backfill: {enabled: true, name: one}"))
	jobs := o.jobs()
	if got := slices.Sorted(maps.Keys(jobs)); !slices.Equal(got, []string{"backfill", "migrate", "run"}) {
		t.Fatalf("jobs = %v", got)
	}
	for name, job := range jobs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkRestricted(t, job.Template.Spec)
			checkRetries(t, job, batchv1.PodFailurePolicyActionFailJob)
			if job.CompletionMode != nil || job.BackoffLimitPerIndex != nil {
				t.Error("a Job of one pod has indexes")
			}
			if job.BackoffLimit == nil {
				t.Error("no backoffLimit")
			}
		})
	}
}

func TestDefaultCronJob(t *testing.T) {
	t.Parallel()
	o := mustRender(t, nil)
	if o.backfill != nil {
		t.Error("a backfill Job by default")
	}
	spec := o.cronJob.Spec
	if spec.ConcurrencyPolicy != batchv1.ForbidConcurrent {
		t.Errorf("concurrencyPolicy = %s", spec.ConcurrencyPolicy)
	}
	if spec.Schedule != "0 22 * * *" || spec.TimeZone == nil || *spec.TimeZone != "Africa/Cairo" {
		t.Errorf("schedule = %q in %v", spec.Schedule, spec.TimeZone)
	}
	if spec.StartingDeadlineSeconds == nil {
		t.Error("no startingDeadlineSeconds: 100 missed starts would stop the CronJob")
	}
	job := spec.JobTemplate.Spec
	if got, want := *job.ActiveDeadlineSeconds, int64(8*3600+60+900); got != want {
		t.Errorf("activeDeadlineSeconds = %d, want %d", got, want)
	}
	container := job.Template.Spec.Containers[0]
	want := []string{
		"--config=/etc/vlens-archiver/config.yaml", "run", "--log-format=json",
		"--run-id=$(JOB_NAME)", "--worker=$(POD_NAME)", "--max-duration=8h",
	}
	if !slices.Equal(container.Args, want) {
		t.Errorf("args = %q, want %q", container.Args, want)
	}
	if got := fieldPath(container, "JOB_NAME"); got != "metadata.labels['batch.kubernetes.io/job-name']" {
		t.Errorf("JOB_NAME comes from %q", got)
	}
	if container.Image != "vlens-archiver:0.1.0" {
		t.Errorf("image = %s", container.Image)
	}
	if got := container.EnvFrom[0].SecretRef.Name; got != "vlens-archiver" {
		t.Errorf("environment from Secret %q", got)
	}
}

func TestEveryOption(t *testing.T) {
	t.Parallel()
	values := fullValues(t)
	scheduled := mustRender(t, values)
	checkRestricted(t, scheduled.schedule.Spec.Template.Spec)
	values["schedule"] = map[string]any{"enabled": false}
	o := mustRender(t, values)
	if got := o.jobs(); len(got) != 3 || scheduled.cronJob != nil || o.schedule != nil {
		t.Errorf("%d jobs; runs come from a CronJob or from a Deployment", len(got))
	}
	for name, job := range o.jobs() {
		checkRestricted(t, job.Template.Spec)
		if name != "migrate" {
			checkRetries(t, job, batchv1.PodFailurePolicyActionFailIndex)
			if job.CompletionMode == nil || *job.CompletionMode != batchv1.IndexedCompletion {
				t.Errorf("%s: two pods without indexes", name)
			}
			if *job.Parallelism != 2 || *job.Completions != 2 || job.BackoffLimitPerIndex == nil {
				t.Errorf("%s: parallelism %d, completions %d, backoffLimitPerIndex %v", name, *job.Parallelism, *job.Completions, job.BackoffLimitPerIndex)
			}
		}
	}
	pod := o.cronJob.Spec.JobTemplate.Spec.Template
	if got := pod.Labels["app.kubernetes.io/name"]; got != "vlens-archiver" {
		t.Errorf("a pod label took the place of the selector's: %q", got)
	}
	if pod.Labels["team"] != "kyc" || pod.Annotations["example.com/scrape"] != "true" {
		t.Errorf("pod labels %v, annotations %v", pod.Labels, pod.Annotations)
	}
	container := pod.Spec.Containers[0]
	if want := "registry.example.com/vlens-archiver@sha256:" + strings.Repeat("0a", 32); container.Image != want {
		t.Errorf("image = %s", container.Image)
	}
	for _, mount := range []string{"/run/secrets/vlens-archiver", "/etc/ca", "/tmp", "/etc/vlens-archiver"} {
		if !slices.ContainsFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == mount }) {
			t.Errorf("nothing is mounted at %s", mount)
		}
	}
	if got := o.serviceAccount.Annotations["eks.amazonaws.com/role-arn"]; got != "arn:aws:iam::111122223333:role/vlens-archiver" {
		t.Errorf("role = %q", got)
	}
	if got := pod.Spec.ServiceAccountName; got != o.serviceAccount.Name {
		t.Errorf("pods run as %q, the account is %q", got, o.serviceAccount.Name)
	}
	if got := o.migrate.Spec.Template.Spec.Containers[0].EnvFrom; got[len(got)-2].SecretRef.Name != "vlens-archiver-owner" {
		t.Errorf("the migration's own Secret does not come after the shared one: %v", got)
	}
	if got := *o.backfill.Spec.ActiveDeadlineSeconds; got != 100000 {
		t.Errorf("backfill: activeDeadlineSeconds = %d", got)
	}
	if got := len(o.networkPolicy.Spec.Egress); got != 6 {
		t.Errorf("%d egress rules, want DNS, Postgres, S3, Vlens, Pod Identity and one more", got)
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

// The names of Jobs are ids of runs.
func TestDottedReleaseName(t *testing.T) {
	t.Parallel()
	o := mustRender(t, parseValues(t, "fullnameOverride: kyc.archive"))
	if name := o.cronJob.Name; !store.ValidRunID(name + "-29400000") {
		t.Errorf("the CronJob's name %q begins no run id", name)
	}
}

// A pre-install hook runs before anything else of the release exists.
func TestMigrateHookStandsAlone(t *testing.T) {
	t.Parallel()
	o := mustRender(t, nil)
	pod := o.migrate.Spec.Template.Spec
	if pod.ServiceAccountName != "" {
		t.Errorf("the hook needs the account %q", pod.ServiceAccountName)
	}
	if got := pod.Volumes[0].ConfigMap.Name; got != o.migrateConfigMap.Name {
		t.Errorf("the hook mounts ConfigMap %q, its own is %q", got, o.migrateConfigMap.Name)
	}
	if o.migrateConfigMap.Data["config.yaml"] != o.configMap.Data["config.yaml"] {
		t.Error("the hook has another configuration than the runs")
	}
	for _, object := range []map[string]string{o.migrate.Annotations, o.migrateConfigMap.Annotations} {
		if object["helm.sh/hook"] != "pre-install,pre-upgrade" {
			t.Errorf("annotations = %v", object)
		}
	}

	o = mustRender(t, parseValues(t, "migrate: {hook: false}"))
	if o.migrateConfigMap != nil || o.migrate.Annotations != nil {
		t.Error("a plain migrate Job is still a hook")
	}
	if got := o.migrate.Spec.Template.Spec.Volumes[0].ConfigMap.Name; got != o.configMap.Name {
		t.Errorf("a plain migrate Job mounts ConfigMap %q", got)
	}
}

func TestNetworkPolicyOpensNothingElse(t *testing.T) {
	t.Parallel()
	o := mustRender(t, nil)
	spec := o.networkPolicy.Spec
	if len(spec.PolicyTypes) != 2 || len(spec.Ingress) != 0 {
		t.Errorf("policy types %v, ingress %v", spec.PolicyTypes, spec.Ingress)
	}
	var ports []int32
	for _, rule := range spec.Egress {
		// An empty list of peers or ports means all of them.
		if len(rule.To) == 0 || len(rule.Ports) == 0 {
			t.Errorf("a rule without peers or ports: %v", rule)
		}
		for _, port := range rule.Ports {
			ports = append(ports, port.Port.IntVal)
		}
	}
	if want := []int32{53, 53, 5432, 443, 443}; !slices.Equal(ports, want) {
		t.Errorf("ports = %v, want %v", ports, want)
	}
	for name, job := range o.jobs() {
		for key, value := range spec.PodSelector.MatchLabels {
			if job.Template.Labels[key] != value {
				t.Errorf("%s: the policy does not select its pods (%s)", name, key)
			}
		}
	}
}

func TestBadValues(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ values, message string }{
		"unknown key":               {"shedule: x", "shedule"},
		"unknown nested key":        {"run: {maxDurations: 1h}", "maxDurations"},
		"no time-box":               {"run: {maxDuration: ''}", "/run/maxDuration"},
		"bad duration":              {"run: {maxDuration: 8 hours}", "/run/maxDuration"},
		"deadline below time-box":   {"run: {activeDeadlineSeconds: 3600}", "run.activeDeadlineSeconds (3600) must be above run.maxDuration (8h) plus terminationGracePeriodSeconds (60), together 28860"},
		"deadline at time-box":      {"run: {maxDuration: 1h1m1s, activeDeadlineSeconds: 3721}", "together 3721"},
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

func TestHelmLint(t *testing.T) {
	t.Parallel()
	for name, values := range map[string]map[string]any{"default": nil, "full": fullValues(t)} {
		linter := lint.All("chart", values, "vlens-archiver", true)
		for _, message := range linter.Messages {
			// The one remark below a warning is the missing icon.
			if message.Severity >= support.WarningSev {
				t.Errorf("%s values: %v", name, message)
			}
		}
	}
}

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
