package deploy_test

import (
	"maps"
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
	if got, want := *job.ActiveDeadlineSeconds, int64(8*3600+90+900); got != want {
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
