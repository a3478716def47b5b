package deploy_test

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// render gives the chart's manifests by file name of their template, for a
// release with the name and namespace of the plain manifests. Templates that
// render to nothing are left out.
func render(values map[string]any) (map[string]string, error) {
	files, err := renderFiles(values)
	if err != nil {
		return nil, err
	}
	manifests := make(map[string]string)
	for name, content := range files {
		if path.Ext(name) == ".yaml" && strings.TrimSpace(content) != "" {
			manifests[path.Base(name)] = strings.TrimSpace(content) + "\n"
		}
	}
	return manifests, nil
}

// renderFiles gives all that the templates render to, by path.
func renderFiles(values map[string]any) (map[string]string, error) {
	loaded, err := loader.Load("chart")
	if err != nil {
		return nil, fmt.Errorf("load the chart: %w", err)
	}
	release := chartutil.ReleaseOptions{Name: "vlens-archiver", Namespace: "vlens-archiver", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(loaded, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, fmt.Errorf("check the values: %w", err)
	}
	files, err := engine.Engine{Strict: true}.Render(loaded, all)
	if err != nil {
		return nil, fmt.Errorf("render the templates: %w", err)
	}
	return files, nil
}

// objects are the decoded manifests of one rendering; nil where there is none.
type objects struct {
	cronJob                     *batchv1.CronJob
	backfill, migrate           *batchv1.Job
	schedule                    *appsv1.Deployment
	configMap, migrateConfigMap *corev1.ConfigMap
	serviceAccount              *corev1.ServiceAccount
	networkPolicy               *networkingv1.NetworkPolicy
}

func mustRender(t *testing.T, values map[string]any) objects {
	t.Helper()
	manifests, err := render(values)
	if err != nil {
		t.Fatal(err)
	}
	var o objects
	o.cronJob = decode[batchv1.CronJob](t, manifests, "cronjob.yaml")
	o.backfill = decode[batchv1.Job](t, manifests, "backfill-job.yaml")
	o.migrate = decode[batchv1.Job](t, manifests, "migrate-job.yaml")
	o.schedule = decode[appsv1.Deployment](t, manifests, "schedule-deployment.yaml")
	o.configMap = decode[corev1.ConfigMap](t, manifests, "configmap.yaml")
	o.migrateConfigMap = decode[corev1.ConfigMap](t, manifests, "migrate-configmap.yaml")
	o.serviceAccount = decode[corev1.ServiceAccount](t, manifests, "serviceaccount.yaml")
	o.networkPolicy = decode[networkingv1.NetworkPolicy](t, manifests, "networkpolicy.yaml")
	for name := range manifests {
		t.Errorf("no test knows the manifest %s", name)
	}
	return o
}

// decode takes one manifest out of the set and refuses fields that Kubernetes
// would drop without a word.
func decode[T any](t *testing.T, manifests map[string]string, name string) *T {
	t.Helper()
	content, found := manifests[name]
	if !found {
		return nil
	}
	delete(manifests, name)
	object := new(T)
	if err := yaml.UnmarshalStrict([]byte(content), object); err != nil {
		t.Fatalf("decode %s: %v\n%s", name, err, content)
	}
	return object
}

// jobs are all Jobs of a rendering by name of their kind.
func (o objects) jobs() map[string]batchv1.JobSpec {
	jobs := make(map[string]batchv1.JobSpec)
	if o.cronJob != nil {
		jobs["run"] = o.cronJob.Spec.JobTemplate.Spec
	}
	if o.backfill != nil {
		jobs["backfill"] = o.backfill.Spec
	}
	if o.migrate != nil {
		jobs["migrate"] = o.migrate.Spec
	}
	return jobs
}

func parseValues(t *testing.T, text string) map[string]any {
	t.Helper()
	values := make(map[string]any)
	if err := yaml.Unmarshal([]byte(text), &values); err != nil {
		t.Fatalf("parse the values: %v", err)
	}
	return values
}
